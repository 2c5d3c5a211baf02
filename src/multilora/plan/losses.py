"""Each loss of one engine, played: who takes over, and what all meet."""

from collections.abc import Sequence
from typing import NamedTuple

from multilora.fleet.backups import NO_BACKUP, homes_after_loss
from multilora.fleet.homes import engine_lists, homes_of
from multilora.plan.answer import Loss
from multilora.plan.case import Case
from multilora.plan.jobs import Job
from multilora.plan.load import Groups
from multilora.plan.played import Dials
from multilora.plan.search import Search, Tried


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


def with_losses(
    search: Search, setting: tuple[Groups, Dials, list[int]], floor: float
) -> Backed | None:
    """Play a setting and each loss; None for a share below floor.

    setting holds the tenants of each engine, the dials and each tenant's
    taker. A loss is played for as long as all of the search's traffic.
    """
    groups, dials, takers = setting
    known = known_by(groups, takers)
    homes, num_asking = homes_of(groups), search.case.num_asking
    tried = search.tried(groups, dials, known)
    order = _heaviest_first(search.case, groups)
    jobs = [_job(homes, tried.dials, takers, known, lost) for lost in order]
    losses: dict[int, Loss | None] = {}
    for lost, outcome in zip(order, search.outcomes(jobs), strict=True):
        losses[lost] = None
        if outcome is not None:
            if outcome.share < floor:
                return None
            late = round((1 - outcome.share) * num_asking)
            losses[lost] = Loss(
                engine=lost + 1, outcome=outcome, num_late=late
            )
    return Backed(tried, takers, tuple(losses[k] for k in sorted(losses)))


def _heaviest_first(case: Case, groups: Groups) -> list[int]:
    """Engines by what is lost with them: the gravest loss comes first."""
    lost = [float(case.loads[list(group)].sum()) for group in groups]
    return sorted(range(len(groups)), key=lambda k: -lost[k])


def _job(homes, dials, takers, known, lost) -> Job:
    """The engines that are left, with the tenants that they take over."""
    num = len(known)
    taken = engine_lists(homes_after_loss(homes, takers, lost, num), num)
    left = [k for k in range(num) if k != lost]
    return Job([taken[k] for k in left], dials, None, [known[k] for k in left])


def known_by(groups: Groups, takers: Sequence[int]) -> list[list[int]]:
    """Return the tenants that each engine serves or takes over, in order."""
    homes = [
        row if taker == NO_BACKUP else [*row, taker]
        for row, taker in zip(homes_of(groups), takers, strict=True)
    ]
    return engine_lists(homes, len(groups))
