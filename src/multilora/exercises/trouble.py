"""Part 4, second half: adapters gone wrong, and metrics read."""

from multilora.adapters.misfits import MISFITS
from multilora.exercises import situations
from multilora.exercises.answers import Items
from multilora.exercises.task import Exercise

# Lab 02, section 11: what vLLM 0.32.0 said to each of misfits.MISFITS. A
# test compares with the outputs that are stored there.
LOADS_SILENTLY = frozenset(
    ("made for a smaller base", "made for a deeper base", "NaN weights")
)
HALF_LOADS = frozenset(
    ("r = 8 on paper, 32 in the file", "made for a larger base")
)


def _misfit_slips():
    return [
        ("those that do not fit a slot raise, after they took it: damage, "
         "but not silence", LOADS_SILENTLY | HALF_LOADS),
        ("those that do not fit a slot raise, after they took it: damage, "
         "but not silence", HALF_LOADS),
        ("right so far, but who looks for NaN?",
         LOADS_SILENTLY - {"NaN weights"}),
        ("right so far, but what happens to tensors that are too small?",
         LOADS_SILENTLY - {"made for a smaller base"}),
        ("right so far, but who looks up a layer that the base lacks?",
         LOADS_SILENTLY - {"made for a deeper base"}),
        ("a pickle is refused: it is only read as weights",
         LOADS_SILENTLY | {"a pickle"}),
    ]  # fmt: skip


def causes() -> list[str]:
    """Return the largest wait of each situation, in order."""
    return [situations.largest_wait(name) for name in situations.NAMES]


def _cause_slips():
    a, b, c, d, e = causes()
    return [
        ("B and D are confused: in B the seats are full", [a, d, c, b, e]),
        ("A and C are confused: a load shows nowhere in the metrics, "
         "deferring does", [c, b, a, d, e]),
        ("in C hardly anybody waits in the queue, and the p99 is high all "
         "the same", [a, b, a, d, e]),
        ("in D the queue is empty; what fills the steps?", [a, b, c, b, e]),
        ("in E seats are left: what else does a request need to be let in?",
         [a, b, c, d, b]),
    ]  # fmt: skip


EXERCISES = [
    Exercise("silent_misfits", "Loaded in silence", 2, 10, Items(
        lambda: set(LOADS_SILENTLY),
        "vLLM loads these three without a word",
        _misfit_slips, set, tuple(MISFITS))),
    Exercise("causes", "Reading the metrics", 3, 15, Items(
        causes, "what the slowest tenth of each waited for",
        _cause_slips, among=situations.WAITS)),
]  # fmt: skip
