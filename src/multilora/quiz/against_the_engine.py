"""The book against the engine: exact or not, how many loads, a new version."""

from multilora.evidence.reconciliation import findings, is_exact
from multilora.exercises.answers import Number
from multilora.quiz.question import Choice, Quantity, right, wrong

FOUND = findings()
NUM_EXACT = sum(map(is_exact, FOUND))


def _loads():
    """Loads of the published runs: (as shipped, residents first)."""
    (runs,) = (item for item in FOUND if item.key == "published runs")
    return runs.measured["as shipped"], runs.measured["residents first"]


def times_as_many() -> float:
    """Return loads as shipped over loads with residents first."""
    shipped, first = _loads()
    return shipped / first


def _slips():
    shipped, first = _loads()
    return {
        "That is the other way round: residents first over as shipped.":
            first / shipped,
        "That is how many per cent fewer loads there are, as in [once more "
        "in numbers](#the-cascade-once-more-in-numbers). How many times as "
        "many are there as shipped?": 100 * (1 - first / shipped),
        "That is how many loads more there are; divide instead.":
            shipped - first,
        "That is how many times *more* there are. One is left out.":
            shipped / first - 1,
    }  # fmt: skip


QUESTIONS = [
    Choice(
        f"{NUM_EXACT} of the {len(FOUND)} checks allow no difference. Why do "
        "the others allow one?",
        (
            wrong("vLLM has defects there.",
                  "Where vLLM has a defect the book says so. A difference is "
                  "allowed for another reason; see [what was "
                  "compared](#what-was-compared)."),
            wrong("They were run on a GPU, where sums vary.",
                  "GPU kernels are not run here; see the end of [do it "
                  "again](#do-it-again)."),
            wrong("They have too few cases to be exact.",
                  "Exactness is no matter of cases: one of the exact checks "
                  "has three; see [what was compared](#what-was-compared)."),
            right("They compare rounded sums in another order, or a model "
                  "with a real run.",
                  "For sums the test derives what rounding can do, and the "
                  "table says how much of that was used."),
        ),
    ),
    Quantity(
        "Four published runs were replayed on vLLM's own classes: "
        f"{_loads()[0]:,} loads as shipped, {_loads()[1]:,} with residents "
        "first. How many times as many loads are there as shipped?",
        "times",
        Number(times_as_many,
               "Nothing but the order within a step differs between the two "
               "counts.", _slips, within=1e-2),
    ),
    Choice(
        "A new version of vLLM reserves slots by another rule. How does the "
        "book notice?",
        (
            wrong("It computes with the new rule by itself.",
                  "Rules are read and written down for each version. A test "
                  "says when one of them is stale; see [do it "
                  "again](#do-it-again)."),
            right("The tests fail: for the version, for lines that moved, "
                  "and for each number that changed.",
                  "So a claim about the engine is either checked against the "
                  "installed version or named as stale."),
            wrong("It does not: its numbers were typed from one version.",
                  "Nothing in that table was typed. Tests run vLLM's classes "
                  "beside ours; see [what was compared](#what-was-compared)."
                  ),
        ),
    ),
]  # fmt: skip
