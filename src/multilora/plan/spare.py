"""The fewest engines with which the SLO is met even if one is lost."""

from collections.abc import Iterator

import numpy as np

from multilora.fleet.loads import DUST
from multilora.plan.load import Groups
from multilora.plan.losses import Backed, known_by, with_losses
from multilora.plan.played import Dials
from multilora.plan.replicas import counts_for, groups_for
from multilora.plan.search import NoPlanError, Search
from multilora.plan.takers import takers_of

# The largest part of an engine's load that one tenant may be there, so that
# who takes over can be chosen well.
LUMP = 0.5


def fewest_with_spare(search: Search, least: int, most: int) -> Backed:
    """Return the fewest engines that meet the SLO even if one is lost.

    Numbers are tried upwards from the larger of least and 2, in steps that
    double, then between. Where none up to `most` is enough, the one with the
    most tenants in time after the worst loss. Raises NoPlanError where none
    starts.
    """
    first, last = max(2, least), min(most, search.most_engines)
    found: dict[int, Backed | None] = {}

    def is_enough(num: int) -> bool:
        found[num] = backed = with_backups(search, num)
        return backed is not None and backed.worst_share >= search.wanted

    missed = first - 1
    for num in _upwards(first, last):
        if is_enough(num):
            return _fewest(is_enough, found, missed, num)
        missed = num
    started = [one for _, one in sorted(found.items()) if one]
    if not started:
        raise NoPlanError(
            f"no plan of up to {most} engines starts in which each engine "
            "also knows the tenants that it takes over: take a larger card "
            "or lower ranks"
        )
    return max(started, key=lambda one: one.worst_share)


def _upwards(first: int, last: int) -> Iterator[int]:
    """first, first + 1, + 2, + 4, … and last."""
    num, step = first, 1
    while num < last:
        yield num
        num, step = first + step, 2 * step
    if first <= last:
        yield last


def _fewest(is_enough, found, missed, met) -> Backed:
    while met - missed > 1:
        middle = (met + missed) // 2
        if is_enough(middle):
            met = middle
        else:
            missed = middle
    return found[met]


def with_backups(search: Search, num_engines: int) -> Backed | None:
    """Return a setting of so many engines that is enough, or the best.

    None where none starts. What is tried, in this order: tenants where they
    are best without a loss, and the hot ones on several engines so that none
    of them is a large lump to take over; the ways to choose backups; and the
    dials that are best for all engines, or for one fewer.
    """
    best = None
    for groups, takers, dials in _tries(search, num_engines):
        floor = best.worst_share if best else 0.0
        found = with_losses(search, groups, dials, takers, floor)
        if found is None or found.worst_p99_ms is None:
            continue
        if found.worst_share >= search.wanted:
            return found
        if best is None or found.worst_share > best.worst_share:
            best = found
    return best


def _tries(search: Search, num_engines: int) -> Iterator[tuple]:
    best = search.by_engines.get(num_engines)
    best = best or search.with_engines(num_engines)
    if best is None:
        return
    fewer = search.by_engines.get(num_engines - 1)
    fewer = fewer or search.with_engines(num_engines - 1)
    dials = dict.fromkeys((best.dials, fewer.dials if fewer else best.dials))
    dealt = _dealt(search, num_engines)
    for groups in [best.groups, *(g for g in dealt if g != best.groups)]:
        for takers in takers_of(search.case, groups):
            for one in dials:
                yield groups, takers, _with_slots(search, groups, takers, one)


def _dealt(search: Search, num_engines: int) -> list[Groups]:
    """Tenants on so many engines that each part is at most LUMP of one."""
    loads = search.case.loads
    each = LUMP * loads.sum() / (num_engines - 1)
    parts = np.ceil(loads / each * (1 - DUST)).astype(int)
    hot = {t: int(num) for t, num in enumerate(parts) if num > 1}
    more = {t: max(num, hot.get(t, 0)) for t, num in search.replicas.items()}
    counts = counts_for(search.case, hot | more, num_engines)
    return groups_for(search.case, counts, num_engines)


def _with_slots(search, groups, takers, dials) -> Dials:
    """The same; where all tenants had a slot, all who are known have one.

    As far as memory allows.
    """
    if dials.max_loras < max(map(len, groups)):
        return dials
    known = known_by(groups, takers)
    return dials._replace(max_loras=search.slot_ladder(known, dials)[0])
