"""Backups of tenants whose ranks differ: the ways that are tried."""

from multilora.fleet.backups import NO_BACKUP, backups
from multilora.fleet.homes import homes_of
from multilora.plan.case import Case
from multilora.plan.load import Groups


def takers_of(case: Case, groups: Groups) -> list[list[int]]:
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
