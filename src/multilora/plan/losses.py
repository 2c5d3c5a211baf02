"""Each loss of one engine, played: who takes over, and what all meet."""

from collections.abc import Sequence
from typing import NamedTuple

from multilora.plan.answer import Loss
from multilora.plan.load import Groups
from multilora.plan.played import Dials, play
from multilora.plan.search import Search, Tried
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


def with_losses(
    search: Search,
    groups: Groups,
    dials: Dials,
    takers: list[int],
    floor: float,
) -> Backed | None:
    """Play a setting and each loss; None for a share below floor."""
    known = known_by(groups, takers)
    tried = search.tried(groups, dials, known)
    losses = []
    for lost in range(len(groups)):
        loss = _loss(search.case, groups, dials, takers, known, lost)
        if loss is not None and loss.outcome.share < floor:
            return None
        losses.append(loss)
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


def known_by(groups: Groups, takers: Sequence[int]) -> list[list[int]]:
    """Return the tenants that each engine serves or takes over, in order."""
    return [
        sorted({*group, *(t for t, taker in enumerate(takers) if taker == k)})
        for k, group in enumerate(groups)
    ]
