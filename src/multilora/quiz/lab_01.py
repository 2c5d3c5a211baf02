"""Lab 01: thin products, a mask, an index of -1, padding, the clock."""

import numpy as np

from multilora.exercises.answers import Number
from multilora.exercises.matmul import wasted_share
from multilora.matmul.groups import group_rows
from multilora.published import shared
from multilora.quiz.question import Choice, Quantity, right, wrong

IDS = np.array([*range(6)] * 8 + [-1] * 16)  # six adapters, and the base
RANKS, TOP = [16] * 3 + [64], 64


def num_thin_products(ids: np.ndarray = IDS) -> int:
    """Return products with an A or a B of the grouped way: two a group."""
    return 2 * sum(adapter >= 0 for adapter, _ in group_rows(ids, len(ids)))


def _thin_slips():
    num_rows = int((IDS >= 0).sum())
    return {
        "That is one for each adapter. A delta is two products: shrink with "
        "A, then expand with B; see [section "
        "1](#1-one-adapter-shrink-then-expand).": num_thin_products() // 2,
        "That counts the base rows as a group. They are in no group; see "
        "[section 3](#3-trap-an-id-of-1-used-as-an-index).":
            num_thin_products() + 2,
        "That is two for each row with an adapter. Rows of one adapter share "
        "their products; see [section 2](#2-a-batch-of-tenants).":
            2 * num_rows,
        "That is two for each row. Rows of one adapter share their products, "
        "and base rows have none; see [section "
        "2](#2-a-batch-of-tenants).": 2 * len(IDS),
    }  # fmt: skip


def wasted_percent() -> float:
    """Return the zeros in slots of rank 64 for RANKS, in per cent."""
    return 100 * wasted_share(RANKS, TOP)


def _waste_slips():
    return {
        "That is the share in use. The rest is zeros; see [section "
        "7](#7-mixed-ranks-pad-to-the-largest).": 100 - wasted_percent(),
        "That is the share in a slot of rank 16. The fourth slot is full, "
        "so take the mean over all four; see [section "
        "7](#7-mixed-ranks-pad-to-the-largest).":
            100 * wasted_share(RANKS[:1], TOP),
        "That is a share from 0 to 1; per cent is asked for.":
            wasted_percent() / 100,
    }  # fmt: skip


def _measured(rank=16, rows=64, num_adapters=16):
    """The measured delta and its FLOPs, in % of the base matmul."""
    record = shared("overhead")
    (row,) = (
        row
        for row in record["rows"]
        if (row["rank"], row["rows"], row["num_adapters"])
        == (rank, rows, num_adapters)
    )
    return 100 * (row["grouped"] - 1), 100 * 2 * rank / record["width"]


ADDED, FLOPS = _measured()

QUESTIONS = [
    Quantity(
        f"A batch has {len(IDS)} rows: eight rows of each of six adapters, "
        "and the rest are for the base. How many thin products, with an A or "
        "a B, does the grouped way make?",
        "products",
        Number(num_thin_products,
               "There is one product with W for all rows, and two thin ones "
               "for each adapter, however many rows it has.", _thin_slips),
    ),
    Choice(
        "A design runs each adapter over all rows and multiplies the delta "
        "by 0 where the row is not its own. One adapter holds a NaN, and "
        "nobody asks for it. Whose answers are wrong?",
        (
            wrong("Nobody's: 0 takes the NaN away.",
                  "0 × NaN is NaN, so the zero takes nothing away; see "
                  "[section 4](#4-trap-a-mask-and-a-zero)."),
            wrong("Only those of the tenant with the NaN.",
                  "This tenant has no row in the batch. The mask multiplies "
                  "their adapter with the others' rows; see [section "
                  "4](#4-trap-a-mask-and-a-zero)."),
            wrong("Only those of the base.",
                  "Base rows alone suffer from an index of −1, which is "
                  "another trap; see [section "
                  "3](#3-trap-an-id-of-1-used-as-an-index)."),
            right("Everybody's in that batch.",
                  "A mask hides numbers and does not isolate them. Grouping "
                  "never reads an adapter that no row asks for."),
        ),
    ),
    Choice(
        f"By FLOPs a delta of rank 16 is {FLOPS:.1f} % of its layer. How "
        "much time did 16 adapters add, grouped, in a batch of 64 rows?",
        (
            wrong(f"{FLOPS:.1f} %, as the FLOPs say",
                  "Thin products are slow for their size, so the clock says "
                  "several times the FLOPs; see [section "
                  "6](#6-what-does-it-cost)."),
            right(f"{ADDED:.1f} %, several times as much",
                  "Sixteen columns do not fill a kernel that was made for "
                  "thousands. So a share of FLOPs is a floor for the time."),
            wrong(f"{16 * FLOPS:.1f} %, that is 16 times as much",
                  "That is what the mask computes. Grouped, each row meets "
                  "its own adapter only, and the FLOPs do not grow with the "
                  "number of adapters; see [section "
                  "6](#6-what-does-it-cost)."),
        ),
    ),
    Quantity(
        "Three tenants have rank 16, a fourth has rank 64, and the slots "
        "have `max_lora_rank=64`. How many per cent of the slots' numbers "
        "are zeros?",
        "%",
        Number(wasted_percent,
               "Padding changes no result, but it takes memory, and it "
               "multiplies zeros. One tenant decides the size of all slots.",
               _waste_slips, within=5e-3),
    ),
]  # fmt: skip
