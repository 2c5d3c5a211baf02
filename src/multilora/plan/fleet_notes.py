"""Sentences on a plan of several engines: replicas, and a loss."""

from multilora.plan.case import Case
from multilora.plan.losses import Backed
from multilora.plan.search import Search


def fleet_notes(case: Case, search: Search, backed: Backed) -> tuple[str, ...]:
    """Return the notes on replicas and on the loss of an engine."""
    found = [*_on_replicas(case, search, backed), *_on_losses(backed)]
    return tuple(found)


def _on_replicas(case, search, backed):
    on = backed.tried.engines_of
    for tenant in search.replicas:
        yield (
            f"{case.tenants.names[tenant]} is on {on[tenant]} engines: one "
            "engine alone serves them too late, however few others are on it"
        )
    more = [t for t, num in on.items() if num > 1 and t not in search.replicas]
    if more:
        yield (
            f"{case.tenants.names[more[0]]}"
            + (f" and {len(more) - 1} more are" if more[1:] else " is")
            + " on several engines: "
            + (
                "the part of one that is lost must fit on another"
                if search.spare
                else "there are more engines than tenants who ask"
            )
        )


def _on_losses(backed):
    losses = [loss for loss in backed.losses if loss]
    if not losses:
        return
    worst = max(losses, key=lambda one: (one.num_late, one.outcome.p99_ms))
    late = (
        "no tenant misses the SLO"
        if not worst.num_late
        else "1 tenant misses the SLO"
        if worst.num_late == 1
        else f"{worst.num_late} tenants miss the SLO"
    )
    yield (
        "each loss of one engine was played on the requests of the search, "
        f"with their backups; the worst is engine {worst.engine}: p99 "
        f"{worst.outcome.p99_ms:,.0f} ms, {late}. Requests that run on an "
        "engine when it is lost fail, and their clients must send them again"
    )
