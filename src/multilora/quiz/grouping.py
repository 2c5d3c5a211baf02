"""Sort once: the mask's FLOPs, rows without company, narrow layers."""

from multilora.exercises.answers import Number
from multilora.memory.economics import lora_params_per_layer
from multilora.quiz.question import Choice, Quantity, right, wrong

NUM_ADAPTERS, RANK, WIDTH = 24, 16, 3072


def mask_percent(num_adapters: int = NUM_ADAPTERS) -> float:
    """Return the mask's FLOPs in % of the base's: N · 2r / D."""
    thin = lora_params_per_layer(WIDTH, WIDTH, RANK)
    return 100 * num_adapters * thin / WIDTH**2


def _slips():
    return {
        "That is for one adapter, and so for every design but the mask: it "
        "sends all rows through each of them; see [section "
        "3](#3-where-designs-cross).": mask_percent(1),
        "That is N · r / D. A delta has two products, with A and with B; see "
        "[section 3](#3-where-designs-cross).": mask_percent() / 2,
        "That is a share; per cent is asked for.": mask_percent() / 100,
    }


QUESTIONS = [
    Quantity(
        f"A layer is {WIDTH:,} wide, and the mask runs {NUM_ADAPTERS} "
        f"adapters of rank {RANK} over all rows. How many per cent of the "
        "base's FLOPs does the mask add?",
        "%",
        Number(mask_percent,
               "The mask grows with the number of adapters, and the clock "
               "says two to three times this share.", _slips, within=5e-3),
    ),
    Choice(
        "A batch has 64 rows, and each row has an adapter of its own. What "
        "does grouping gain over a loop that applies one row's adapter after "
        "the other?",
        (
            wrong("It is faster: the base is computed once instead of 64 "
                  "times.",
                  "The row loop of this page has one base product too; lab "
                  "01's *row by row* had not; see [section "
                  "3](#3-where-designs-cross)."),
            wrong("It is 64 times as fast, for it makes one thin product.",
                  "It makes two thin products a group, and here a group is "
                  "one row; see [section 3](#3-where-designs-cross)."),
            right("Nothing: it can only add its own bookkeeping.",
                  "Grouping needs company: a few rows per adapter, and fewer "
                  "the more adapters there are."),
        ),
    ),
    Choice(
        "In a narrow layer 64 rows have one adapter, then 64 adapters of the "
        "same rank. What happens to the FLOPs and to the added time?",
        (
            wrong("Both grow with the number of adapters.",
                  "Each row meets one adapter, however many there are. Only "
                  "the mask's FLOPs grow; see [section "
                  "4](#4-small-layers-calls-not-flops)."),
            right("The FLOPs remain the same, and the time grows.",
                  "The number of calls sets the price there: two thin "
                  "products for each adapter. Count calls before you count "
                  "FLOPs."),
            wrong("Both remain the same.",
                  "The FLOPs do. But each adapter brings two calls, and a "
                  "thin product is over before they are; see [section "
                  "4](#4-small-layers-calls-not-flops)."),
            wrong("The FLOPs grow, and the time remains the same.",
                  "It is the other way round; see [section "
                  "4](#4-small-layers-calls-not-flops)."),
        ),
    ),
]  # fmt: skip
