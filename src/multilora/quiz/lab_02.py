"""Lab 02: the tag, how long a third waits, reads of the disk, the base."""

from multilora.cache.tiers import AdapterTiers
from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong

TENANTS, ROUNDS, SLOTS = 5, 3, 4


def num_disk_reads(max_cpu_loras: int | None = None) -> int:
    """Return reads of the disk while TENANTS take turns on SLOTS."""
    tiers = AdapterTiers(SLOTS, max_cpu_loras)
    for turn in range(TENANTS * ROUNDS):
        tiers.activate(turn % TENANTS)
    return tiers.disk_loads


def _read_slips():
    return {
        "That is with `max_cpu_loras=5`: then each adapter is read once. By "
        "default the tier is as small as the slots; see [section "
        "6](#6-cold-and-warm).": num_disk_reads(TENANTS),
        "That would be so if only the fifth tenant had no slot. But each "
        "newcomer takes the slot of the one who comes next; see [section "
        "6](#6-cold-and-warm).": num_disk_reads(TENANTS) + ROUNDS - 1,
        "That leaves out the first round, in which no adapter is in memory.":
            num_disk_reads() - TENANTS,
    }  # fmt: skip


QUESTIONS = [
    Choice(
        "A client sends a question for a query in SQL, and by mistake its "
        "tag names the tenant `pirate`. What comes back?",
        (
            wrong("An error, since prompt and adapter do not match",
                  "Nothing compares them. A wrong tag is no error; see "
                  "[section 2](#2-the-tag-decides-not-the-prompt)."),
            wrong("A query, since the prompt asks for one",
                  "Behaviour follows the tag, not the prompt; see [section "
                  "2](#2-the-tag-decides-not-the-prompt)."),
            wrong("The base's answer",
                  "The base answers where there is no tag. Here there is "
                  "one, and its adapter is added; see [section "
                  "2](#2-the-tag-decides-not-the-prompt)."),
            right("A fluent answer in the style of `pirate`",
                  "It is another tenant's answer, without an error. So test "
                  "the tag, not the text."),
        ),
    ),
    Choice(
        "Two slots, and requests of two adapters are running. A request for "
        "a third adapter comes. How long does it wait at least?",
        (
            wrong("One step: between two steps adapters change places.",
                  "An adapter keeps its slot as long as a request of it "
                  "runs, over all of its steps; see [section "
                  "3](#3-a-third-adapter-two-slots)."),
            right("Until all running requests of one of the two have ended.",
                  "That can be a whole reply. A deferred tenant's time to a "
                  "first token is somebody else's reply."),
            wrong("As long as its adapter takes to load.",
                  "The load comes after the wait for a slot; see [section "
                  "3](#3-a-third-adapter-two-slots)."),
        ),
    ),
    Quantity(
        f"{TENANTS} tenants take turns on {SLOTS} slots for {ROUNDS} rounds, "
        f"so {TENANTS * ROUNDS} requests one after the other. At first no "
        "adapter is in memory, and `max_cpu_loras` is not set. How often is "
        "the disk read?",
        "reads",
        Number(num_disk_reads,
               "Each newcomer takes slot and copy of the one who is needed "
               "next. Room for all in host memory ends the reads, not the "
               "copies into slots.", _read_slips),
    ),
    Choice(
        "The base gets a new release of the same shape, trained a little "
        "further. The tenants' adapters remain as they are. What does vLLM "
        "do?",
        (
            wrong("It refuses the adapters.",
                  "It compares shapes and names, and they fit; see [section "
                  "10](#10-the-wrong-base)."),
            wrong("It serves them and writes a warning.",
                  "At its default log level it says nothing; see [section "
                  "10](#10-the-wrong-base)."),
            wrong("It serves them, and they answer as the base does.",
                  "That was so on a base of another seed. On one that was "
                  "trained further, hardly any answer is the base's own; see "
                  "[section 10](#10-the-wrong-base)."),
            right("It serves them in silence, and some answers are right.",
                  "A spot check may well pass. Only a fingerprint of the "
                  "base's weights tells the two apart."),
        ),
    ),
]  # fmt: skip
