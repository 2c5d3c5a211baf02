"""A plan with one dial moved, or in a world other than it assumes."""

from collections.abc import Iterator

from multilora.arguments import shown
from multilora.cache.load_range import load_range
from multilora.plan.answer import Assumption, Neighbour, Outcome
from multilora.plan.jobs import Job
from multilora.plan.played import Dials, World
from multilora.plan.search import Search, Tried, can_be, is_met

SLOWER, MORE, LONGER = 1.25, 1.25, 1.5
NEAR = 2  # engines more or fewer, beside a plan with a spare


def neighbours(search: Search, chosen: Tried) -> tuple[Neighbour, ...]:
    """Return what the next smaller and the next larger value would do.

    Of each dial, all else as it is; and every number of engines that was
    tried, each with its own best dials, and one more than were chosen.
    """
    moves = list(_moves(search, chosen))
    settings = [chosen.dials._replace(**dict([move])) for move in moves]
    played = search.tried_all(chosen.groups, settings, chosen.known)
    found = [
        _neighbour(name, value, one.outcome)
        for (name, value), one in zip(moves, played, strict=True)
    ]
    num = chosen.num_engines
    if num < search.most_engines:
        search.with_engines(num + 1)
    others = sorted(search.by_engines.items())
    if search.spare:  # every number on the way up was tried
        others = [(k, one) for k, one in others if abs(k - num) <= NEAR]
    found += [
        _neighbour("engines", value, one.outcome)
        for value, one in others
        if value != num
    ]
    return tuple(found)


def _moves(search: Search, chosen: Tried) -> Iterator[tuple[str, int]]:
    """Yield (dial, value) of each next smaller and next larger value."""
    for name in Dials._fields:
        here = getattr(chosen.dials, name)
        values = {here, *search.values(name, chosen.groups, chosen.dials)}
        if name == "max_loras":
            values |= {min(2 * here, max(map(len, chosen.groups)))}
        for value in _beside(sorted(values), here):
            if can_be(chosen.dials._replace(**{name: value})):
                yield name, value


def _neighbour(dial: str, value: int, outcome: Outcome | None) -> Neighbour:
    return Neighbour(dial=dial, value=value, outcome=outcome)


def _beside(values: list[int], here: int) -> list[int]:
    place = values.index(here)
    return values[max(0, place - 1) : place] + values[place + 1 : place + 2]


def assumptions(search: Search, chosen: Tried) -> tuple[Assumption, ...]:
    """Return what would change the answer, the first thing first.

    Each is the chosen setting, played in another World. Those that change
    the verdict on the SLO come first, then those that move the p99 most.
    """
    if chosen.outcome is None:
        raise ValueError(f"chosen is {shown(chosen)}, which does not start")
    found = []
    worlds = list(_worlds(search, chosen))
    outcomes = search.outcomes(
        [
            Job(chosen.groups, chosen.dials, world, chosen.known)
            for *_, world in worlds
        ]
    )
    for (what, instead, _), outcome in zip(worlds, outcomes, strict=True):
        flips = is_met(search.case, outcome) != is_met(
            search.case, chosen.outcome
        )
        found.append(
            Assumption(
                what=what, instead=instead, outcome=outcome, flips=flips
            )
        )
    here = chosen.outcome.p99_ms

    def gravest_first(one: Assumption) -> tuple[bool, float]:
        moved = one.outcome.p99_ms / max(here, 1e-3) if one.outcome else 1e9
        return not one.flips, -max(moved, 1 / max(moved, 1e-9))

    return tuple(sorted(found, key=gravest_first))


def _worlds(search: Search, chosen: Tried):
    yield (
        "a step takes the time that the plan assumes",
        "every step takes a quarter longer",
        World(slower=SLOWER),
    )
    yield (
        "requests come as often as in the traffic given",
        "a quarter more requests come in the same time",
        World(faster_traffic=MORE),
    )
    yield (
        "replies are as long as in the traffic given",
        "replies are half as long again",
        World(longer_replies=LONGER),
    )
    yield (
        "the KV cache has the low end of its range",
        "the KV cache has the high end of its range",
        World(is_kv_high=True),
    )
    if search.case.costs.terms is not None:
        yield (
            "every adapter was used before",
            "the engines have just been started",
            World(is_cold=True),
        )
    host_gib = search.case.host_gib
    if host_gib is not None:
        slow = load_range("object storage").high_ms
        yield (
            "a copy that left the CPU tier is read from a local disk",
            "a copy that left the CPU tier comes from object storage, in "
            f"{slow / 1000:.1f} s",
            World(disk_load_ms=slow),
        )
