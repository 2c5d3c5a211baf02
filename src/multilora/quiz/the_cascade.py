"""The cascade: loads by order, idle slots, what a rank costs, the change."""

from multilora.cache.tiers import AdapterTiers
from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong

HELD = (1, 2, 3, 4, 5)


def num_loads(*order: int, walk: str = "one by one") -> int:
    """Return the loads of a step in this order, on slots that hold HELD."""
    tiers = AdapterTiers(len(HELD), max_cpu_loras=9)
    tiers.activate_step(HELD)
    before = tiers.slot_loads
    tiers.activate_step(order, walk)
    return tiers.slot_loads - before


def _witness():
    return num_loads(1, 6, 2, 3, 4)


def _slips():
    return {
        "That is the textbook's answer, and right if 6 comes last. Here 6 "
        "evicts an adapter that the step still needs; see [section "
        "1](#1-the-smallest-case).": num_loads(1, 2, 3, 4, 6),
        "That is with 6 in front of all. Here 1 was used just before 6 came, "
        "so 1 is safe; see [section 1](#1-the-smallest-case).":
            num_loads(6, 1, 2, 3, 4),
        "That is where the walk begins with 1 and 2; see [section "
        "1](#1-the-smallest-case).": num_loads(1, 2, 6, 3, 4),
    }  # fmt: skip


QUESTIONS = [
    Quantity(
        f"{len(HELD)} slots hold adapters 1, 2, 3, 4 and 5, used in this "
        "order. A step needs 1, 2, 3, 4 and 6, and vLLM walks through them "
        "as 1, 6, 2, 3, 4. How many adapters are loaded?",
        "loads",
        Number(_witness,
               "6 evicts 2, 2 evicts 3, 3 evicts 4, and 4 evicts 5, which "
               "nobody needs. One miss became a chain.", _slips),
    ),
    Choice(
        "When does the order of a set cost as few loads as an LRU cache that "
        "keeps running adapters safe?",
        (
            right("As long as some slots are idle",
                  "Then the oldest adapter is an idle one, and its loss "
                  "hurts nobody. The two part where a step needs every "
                  "slot."),
            wrong("As long as adapters have a small rank",
                  "Rank changes what a load costs, not how many there are; "
                  "see [section 5](#5-what-one-load-costs)."),
            wrong("As long as the salt of the process is fixed",
                  "A fixed salt makes the order the same each time. The same "
                  "bad order remains bad; see [section "
                  "2](#2-who-chooses-the-order)."),
            wrong("As long as `max_cpu_loras` holds all adapters",
                  "The tier makes a load cheaper. Loads into slots are as "
                  "many as before; see [section "
                  "7](#7-the-tier-below-the-slots)."),
        ),
    ),
    Choice(
        "You train your adapters with rank 8 instead of 32. Which part of a "
        "miss becomes shorter?",
        (
            wrong("The copy into the slot, to a quarter",
                  "The copy is hundreds of small launches, as many at each "
                  "rank; up to rank 32 its time stayed flat; see [section "
                  "5](#5-what-one-load-costs)."),
            wrong("Both the copy and the read of the disk",
                  "The copy's time stayed flat up to rank 32: it is bound by "
                  "launches; see [section 5](#5-what-one-load-costs)."),
            right("The read of the disk",
                  "The read grows with the rank, and the copy into the slot "
                  "did not up to rank 32. So the rank counts where a miss "
                  "reads the disk, which is the default."),
            wrong("Neither",
                  "The published reads of the disk do grow with the rank; "
                  "see [section 7](#7-the-tier-below-the-slots)."),
        ),
    ),
    Choice(
        "*Residents first* sorts the adapters of a step before the walk. Why "
        "does that end the cascade?",
        (
            wrong("It pins the residents in their slots.",
                  "Nothing is pinned. The order alone decides; see [section "
                  "6](#6-a-change-of-order)."),
            right("Those with a slot are used first, so none of them is the "
                  "oldest when a newcomer comes.",
                  "One load remains for each adapter that is absent, and in "
                  "one step no order can do with less."),
            wrong("It admits fewer adapters to a step.",
                  "The scheduler has chosen the adapters of the step already; "
                  "only their order changes; see [section "
                  "6](#6-a-change-of-order)."),
            wrong("It replaces LRU by another policy.",
                  "The policy remains LRU; see [section "
                  "6](#6-a-change-of-order)."),
        ),
    ),
]  # fmt: skip
