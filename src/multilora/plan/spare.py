"""A plan that survives the loss of one engine: who takes over whom."""

from collections.abc import Sequence
from typing import NamedTuple

from multilora.fleet.backups import NO_BACKUP, backups
from multilora.fleet.homes import homes_of
from multilora.plan.advice import best_place
from multilora.plan.answer import Loss
from multilora.plan.case import Case
from multilora.plan.load import Groups
from multilora.plan.played import Dials, play
from multilora.plan.search import NoPlanError, Search, Tried
from multilora.plan.tenants import all_verdicts, outcome_of


class Backed(NamedTuple):
    """A setting whose engines know their backups, and each loss of one.

    takers is the engine of each tenant that takes over, or NO_BACKUP. A loss
    is None where an engine that is left does not start.
    """

    tried: Tried
    takers: list[int]
    losses: tuple[Loss | None, ...]

    @property
    def worst_share(self) -> float:
        """Of the tenants in time: the least of all states."""
        after = [loss and loss.outcome for loss in self.losses]
        return min(
            one.share if one else 0.0 for one in (self.tried.outcome, *after)
        )

    @property
    def worst_p99_ms(self) -> float | None:
        """The largest of all states; None where one does not start."""
        if self.tried.outcome is None or None in self.losses:
            return None
        found = [loss.outcome.p99_ms for loss in self.losses if loss]
        return max([self.tried.outcome.p99_ms, *found])


def fewest_with_spare(search: Search, least: int, most: int) -> Backed:
    """Return the fewest engines that meet the SLO even if one is lost.

    Numbers are tried upwards from the larger of least and 2. Where none up
    to `most` is enough, the one with the most tenants in time after the
    worst loss. Raises NoPlanError where none starts.
    """
    best = None
    for num in range(max(2, least), min(most, search.most_engines) + 1):
        found = with_backups(search, num)
        if found is None:
            continue
        if found.worst_share >= search.wanted:
            return found
        if best is None or found.worst_share > best.worst_share:
            best = found
    if best is None:
        raise NoPlanError(
            f"no plan of up to {most} engines starts in which each engine "
            "also knows the tenants that it takes over: take a larger card "
            "or lower ranks"
        )
    return best


def with_backups(search: Search, num_engines: int) -> Backed | None:
    """Return the best setting of so many engines with backups, or None.

    Tenants are where they are best without a loss. Dials are those that are
    best for all engines, or for one fewer, or these with the most slots:
    whichever does better in the worst state.
    """
    best = search.by_engines.get(num_engines)
    best = best or search.with_engines(num_engines)
    if best is None:
        return None
    fewer = search.by_engines.get(num_engines - 1)
    fewer = fewer or search.with_engines(num_engines - 1)
    dials = {best.dials} | ({fewer.dials} if fewer else set())
    found = [
        _played(search, best.groups, one, takers)
        for takers in _takers(search.case, best.groups)
        for one in _with_most_slots(search, best.groups, takers, dials)
    ]
    place = best_place(
        [one.worst_p99_ms for one in found],
        [one.worst_share for one in found],
        search.wanted,
    )
    return None if place is None else found[place]


def _with_most_slots(search, groups, takers, dials) -> list[Dials]:
    """These dials, and each with as many slots as who is taken over needs."""
    known = known_by(groups, takers)
    return sorted(dials | {
        one._replace(max_loras=search.slot_ladder(known, one)[0])
        for one in dials
    }, reverse=True)  # fmt: skip


def known_by(groups: Groups, takers: Sequence[int]) -> list[list[int]]:
    """Return the tenants that each engine serves or takes over, in order."""
    return [
        sorted({*group, *(t for t, taker in enumerate(takers) if taker == k)})
        for k, group in enumerate(groups)
    ]


def _takers(case: Case, groups: Groups) -> list[list[int]]:
    """The ways to choose backups: by load alone, or with regard to rank."""
    homes, loads, ranks = homes_of(groups), case.loads, case.slot_ranks
    free = backups(homes, loads, len(groups))
    widest = [max(ranks[t] for t in group) for group in groups]
    narrow = [k for k, rank in enumerate(widest) if rank == min(widest)]
    found = [free]
    if 2 <= len(narrow) < len(groups):
        found.append(_apart(free, groups, loads, narrow))
    try:
        found.append(backups(homes, loads, len(groups), ranks, widest))
    except ValueError:
        pass  # a tenant fits on its own engine alone
    return [one for at, one in enumerate(found) if one not in found[:at]]


def _apart(free, groups, loads, narrow) -> list[int]:
    """The same, but tenants of narrow engines stay on such.

    A slot of a wide engine is large, so it has few for those of others.
    """
    tenants = sorted({t for k in narrow for t in groups[k]})
    place = {tenant: at for at, tenant in enumerate(tenants)}
    homes = homes_of([[place[t] for t in groups[k]] for k in narrow])
    found = list(free)
    takers = backups(homes, loads[tenants], len(narrow))
    for tenant, taker in zip(tenants, takers, strict=True):
        if found[tenant] != NO_BACKUP and taker != NO_BACKUP:
            found[tenant] = narrow[taker]
    return found


def _played(
    search: Search, groups: Groups, dials: Dials, takers: list[int]
) -> Backed:
    known = known_by(groups, takers)
    losses = [
        _loss(search.case, groups, dials, takers, known, lost)
        for lost in range(len(groups))
    ]
    tried = search.tried(groups, dials, known)
    return Backed(tried, takers, tuple(losses))


def _loss(case, groups, dials, takers, known, lost) -> Loss | None:
    """Play the engines that are left, for all of the traffic."""
    left = [k for k in range(len(groups)) if k != lost]
    taken = [
        sorted({*groups[k], *(t for t in groups[lost] if takers[t] == k)})
        for k in left
    ]
    engines = play(case, taken, dials, None, [known[k] for k in left])
    if engines is None:
        return None
    return Loss(
        engine=lost + 1,
        outcome=outcome_of(engines, case.slo),
        num_late=int((~all_verdicts(engines, case.slo)).sum()),
    )
