"""Lab 04's walks over queues: one at a time, and many at random."""

from collections.abc import Callable, Sequence

import numpy as np

from multilora.labs.slips import SlipError, require
from multilora.labs.spec_04_models import Queued, plain_walk

# waiting, running, max_loras, max_num_seqs
Case = tuple[list[Queued], list[Queued], int, int | None]

SLIPS: dict[str, dict] = {
    "barrier instead of defer: later requests may fit": {"is_barrier": True},
    "running requests were forgotten: they hold slots": {
        "counts_running": False
    },
    "the base counts as an adapter here, but it needs no slot": {"base": ()},
    "adapter 0 passes as the base: only -1 is": {"base": (-1, 0)},
    "each request takes a slot here: those of one adapter share it": {
        "counts_requests": True
    },
    "a seat is missing for the base: when all are taken, nobody passes": {
        "passes_base": True
    },
    "one adapter too many: max_loras are allowed": {"extra_slots": 1},
    "one adapter too few: max_loras are allowed": {"extra_slots": -1},
    "running requests were forgotten: they sit on seats": {
        "seats_running": False
    },
    "deferred requests sit on seats here: only those admitted take a seat": {
        "seats_deferred": True
    },
    "max_num_seqs is ignored": {"has_seats": False},
    "one seat too many: max_num_seqs are allowed": {"extra_seats": 1},
    "one seat too few: max_num_seqs are allowed": {"extra_seats": -1},
}


def walk(
    schedule_step: Callable,
    waiting: Sequence[Queued],
    running: Sequence[Queued],
    max_loras: int,
    max_num_seqs: int | None = None,
) -> tuple[list[Queued], list[Queued]]:
    """One walk, whose two results must be the queue, and change nothing."""
    given = (list(waiting), list(running))
    seats = {} if max_num_seqs is None else {"max_num_seqs": max_num_seqs}
    result = schedule_step(waiting, running, max_loras, **seats)
    require(
        isinstance(result, tuple) and len(result) == 2,
        f"the result is {result!r:.40}, but must be (admitted, deferred)",
    )
    require(
        (list(waiting), list(running)) == given,
        "waiting or running was changed in place: build new lists",
    )
    admitted, deferred = result
    for name, part in (("admitted", admitted), ("deferred", deferred)):
        require(
            isinstance(part, list),
            f"{name} is a {type(part).__name__}, but must be a list",
        )
        strange = [item for item in part if item not in waiting]
        require(
            not strange,
            f"{name} holds {strange[:1]}, which did not wait: give the "
            "requests back as they came",
        )
    require(
        sorted(admitted + deferred) == sorted(waiting),
        f"{len(waiting)} requests waited, but {len(admitted)} are admitted "
        f"and {len(deferred)} deferred: none may be lost or doubled",
    )
    return admitted, deferred


def random_queues(number: int) -> list[Case]:
    """Return cases of (waiting, running, max_loras, max_num_seqs)."""
    rng = np.random.default_rng(7)
    cases: list[Case] = []
    for max_loras in (1, 2, 3):
        for _ in range(number):
            ids = rng.integers(-1, 5, 12).tolist()
            held = rng.choice([-1, *range(max_loras)], 3).tolist()
            waiting = [(f"w{n}", item) for n, item in enumerate(ids)]
            running = [(f"r{n}", item) for n, item in enumerate(held)]
            seats = int(rng.integers(3, 12))
            cases += [(waiting, running, max_loras, None)]
            cases += [(waiting, running, max_loras, seats)]
    return cases


def compare_with_plain_walk(
    schedule_step: Callable, cases: Sequence[Case]
) -> None:
    """Raise SlipError if a walk differs from that of the plain model."""
    got = [walk(schedule_step, *case) for case in cases]
    wanted = [plain_walk(*case) for case in cases]
    if got == wanted:
        return
    for sentence, slip in SLIPS.items():
        if got == [plain_walk(*case, **slip) for case in cases]:
            raise SlipError(sentence)
    require(
        got != [right[::-1] for right in wanted],
        "admitted and deferred are swapped: return (admitted, deferred)",
    )
    for case, mine, right in zip(cases, got, wanted, strict=True):
        for name, part, other in zip(
            ("admitted", "deferred"), mine, right, strict=True
        ):
            require(
                part == other or sorted(part) != sorted(other),
                f"{name} is not in the queue's order: nobody may lose their "
                "place",
            )
        waiting, running, max_loras, seats = case
        require(
            mine == right,
            f"waiting {waiting}, running {running}, max_loras {max_loras}, "
            f"max_num_seqs {seats}: admitted must be {right[0]}, "
            f"not {mine[0]}",
        )
