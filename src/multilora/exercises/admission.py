"""Part 3, second half: whom the scheduler admits, and who starves."""

from collections.abc import Sequence

import numpy as np

from multilora.cache.slots import Request, schedule_step
from multilora.exercises import ageing
from multilora.exercises.answers import Function, Items
from multilora.exercises.task import Exercise

QUEUE = [Request(*pair) for pair in (
    ("a", 5), ("b", 3), ("c", 4), ("d", -1), ("e", 3), ("f", 5),
)]  # fmt: skip
RUNNING, MAX_LORAS, SEATS = [Request("r", 5)], 2, 5


def admitted_by_hand(
    seats: int | None = SEATS, running: Sequence[Request] = RUNNING
) -> list[str]:
    """Return the names that one walk over QUEUE admits."""
    found, _ = schedule_step(QUEUE, running, MAX_LORAS, seats)
    return [request.request_id for request in found]


def _defer_slips():
    return [
        ("barrier instead of defer: c is skipped, and the walk goes on",
         ["a", "b"]),
        ("the one that runs has a seat too: four are free",
         admitted_by_hand(None)),
        ("the base needs no adapter: d passes", ["a", "b", "e", "f"]),
        ("r runs adapter 5, so 5 and one more is all that fits",
         ["a", "b", "c", "d"]),
    ]  # fmt: skip


def _aged_cases():
    rng = np.random.default_rng(10)
    cases: list[tuple] = []
    for patience in (3, 3, 0, 2, 2, 5, 4):
        num = 4 + len(cases)
        waiting = [
            Request("abcdefghijkl"[n], int(rng.integers(-1, 4)))
            for n in range(num)
        ]
        ages = np.sort(rng.integers(0, 7, num))[::-1].tolist()
        waited = {
            item.request_id: age
            for item, age in zip(waiting, ages, strict=True)
        }
        cases.append((waiting, [Request("r", 0)], 2, waited, patience))
    cold = [Request("b", 1), Request("c", 0), Request("d", -1)]
    waited = {"b": 3, "c": 2, "d": 0}
    back = [Request("b", 1), Request("c", 2), Request("d", 0)]
    older = {"b": 1, "c": 5, "d": 0}  # c was running, and was sent back
    return [
        (cold, [Request("r", 0)], 1, waited, 3),
        (cold, [Request("r", 0)], 1, waited, 4),
        (back, [Request("r", 0)], 1, older, 3),
        *cases,
    ]


def _no_base(waiting, running, max_loras, waited, patience):
    admitted, _ = ageing.aged_step(
        waiting, running, max_loras, waited, patience
    )
    stop = next(
        (n for n, item in enumerate(waiting) if item not in admitted),
        len(waiting),
    )
    is_wall = stop < len(waiting) and waited[waiting[stop][0]] >= patience
    if not is_wall:
        return schedule_step(waiting, running, max_loras)
    return waiting[:stop], waiting[stop:]


def _anyone_is_a_wall(waiting, running, max_loras, waited, patience):
    admitted, deferred = schedule_step(waiting, running, max_loras)
    old = [item for item in deferred if waited[item[0]] >= patience]
    if not old:
        return admitted, deferred
    stop = waiting.index(old[0])
    passed = [
        item
        for place, item in enumerate(waiting)
        if item in admitted and (place < stop or item[1] == -1)
    ]
    return passed, [item for item in waiting if item not in passed]


AGED_SLIPS = [
    ("nothing ages yet: that is schedule_step",
     lambda waiting, running, n, *_: schedule_step(waiting, running, n)),
    ("whoever does not fit is a wall at once: he must have waited patience "
     "steps first", lambda waiting, running, n, waited, _:
     ageing.aged_step(waiting, running, n, waited, 0)),
    ("a wait of exactly patience steps is enough",
     lambda waiting, running, n, waited, patience:
     ageing.aged_step(waiting, running, n, waited, patience + 1)),
    ("base requests pass the wall: they take no adapter's place", _no_base),
    ("only the first that does not fit is asked how long it waited",
     _anyone_is_a_wall),
]  # fmt: skip

EXERCISES = [
    Exercise("defer", "Defer, seat, pass", 2, 8, Items(
        admitted_by_hand, "c is deferred, f finds no seat", _defer_slips,
        among=tuple("abcdef"))),
    Exercise("aged_step", "A rule against starvation", 3, 25, Function(
        ageing.aged_step, _aged_cases,
        "a wall behind whoever has waited enough", AGED_SLIPS)),
]  # fmt: skip
