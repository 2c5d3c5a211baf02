"""The fewest engines with which the SLO is met even if one is lost."""

from collections.abc import Callable, Iterator

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
Setting = tuple[Groups, Dials, list[int]]  # list: who takes over whom


def fewest_with_spare(search: Search, least: int, most: int) -> Backed:
    """Return the fewest engines that meet the SLO even if one is lost.

    Numbers are tried upwards from the larger of least and 2, in steps that
    double, then between. Where none up to `most` is enough it is `most`, with
    the most tenants in time after the worst loss. Raises NoPlanError where
    that does not start.
    """
    first, last = max(2, least), min(most, search.most_engines)
    found: dict[int, Backed] = {}

    def is_enough(num: int) -> bool:
        enough = _enough(search, num)
        if enough is not None:
            found[num] = enough
        return num in found

    if first < last:
        num = _fewest(is_enough, first, last)
        if num is not None:
            return found[num]
    return _best(search, last)


def _fewest(
    is_enough: Callable[[int], bool], first: int, last: int
) -> int | None:
    """The least number from first to last that is enough, None for none."""
    missed, num, step = first - 1, first, 1
    while not is_enough(num):
        if num == last:
            return None
        missed, num, step = num, min(first + step, last), 2 * step
    while num - missed > 1:
        middle = (num + missed) // 2
        if is_enough(middle):
            num = middle
        else:
            missed = middle
    return num


def _enough(search: Search, num_engines: int) -> Backed | None:
    """The first setting that is enough, None for none."""
    for setting in _settings(search, num_engines):
        found = with_losses(search, setting, search.wanted)
        if found and found.worst_share >= search.wanted:
            return found
    return None


def _best(search: Search, num_engines: int) -> Backed:
    """The setting with the most tenants in time after the worst loss."""
    best = None
    for setting in _settings(search, num_engines):
        floor = best.worst_share if best else 0.0
        found = with_losses(search, setting, floor)
        if found is None or found.worst_p99_ms is None:
            continue
        if best is None or found.worst_share > best.worst_share:
            best = found
    if best is None:
        raise NoPlanError(
            f"no plan of {num_engines} engines starts in which each engine "
            "also knows the tenants that it takes over: take a larger card "
            "or lower ranks"
        )
    return best


def _settings(search: Search, num_engines: int) -> Iterator[Setting]:
    """Yield groups, backups and dials that are tried.

    Tenants are where they would be without a spare, or the hot ones on
    several engines, so that none of them is a large lump to take over; dials
    those that are best for as many engines, and for fewer.
    """
    ways = search.placements(num_engines)
    ways += [one for one in _dealt(search, num_engines) if one not in ways]
    tuned = sorted(k for k in search.by_engines if k <= num_engines)
    best = dict.fromkeys(search.by_engines[k].dials for k in tuned[:-3:-1])
    for groups in ways:
        for takers in takers_of(search.case, groups):
            for dials in best:
                slots = _with_slots(search, groups, takers, dials)
                yield groups, slots, takers


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
