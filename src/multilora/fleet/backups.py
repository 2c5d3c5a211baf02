"""Backups: who takes over a tenant when its engine is lost."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from multilora.arguments import integer, items, shown
from multilora.fleet.homes import Homes, check_homes
from multilora.fleet.loads import check_loads
from multilora.fleet.ranks import may_serve

NO_BACKUP = -1  # a tenant with several homes: the others take its part


def backups(
    homes: Sequence[Sequence[int]],
    loads: npt.ArrayLike,
    num_engines: int,
    ranks: Iterable[int] | None = None,
    max_ranks: Iterable[int] | None = None,
) -> list[int]:
    """Return for each tenant the engine that takes over if its home is lost.

    homes are the engines of each tenant, loads one number a tenant. The
    loads after the loss of any one engine are about equal: its tenants, the
    largest load first, go to the engine that then has the least. That is
    at most 3/2 of the lowest possible peak (LPT with machines that start
    late: Lee 1991, Parallel machines scheduling with nonsimultaneous
    machine available time). A tenant with several homes gets NO_BACKUP, as
    its other homes share its load. With ranks and max_ranks (max_lora_rank
    of each engine), a tenant goes only where its rank fits. Raises
    ValueError for one engine, or a tenant that fits on no other.
    """
    row = check_loads(loads)
    rows = check_homes(homes, num_engines, len(row))
    if num_engines < 2:
        raise ValueError("num_engines is 1, so no engine is left for a backup")
    can = _fitting(ranks, max_ranks, num_engines, len(row))
    found = [NO_BACKUP] * len(row)
    order = np.argsort(-row, kind="stable").tolist()
    for lost in range(num_engines):
        filled = _without(rows, row, num_engines, lost)
        for tenant in order:
            if rows[tenant] == [lost]:
                left = [k for k in can[tenant] if k != lost]
                if not left:
                    raise ValueError(
                        f"ranks: tenant {tenant} fits on engine {lost} alone, "
                        "so it has no backup; raise max_ranks of another"
                    )
                taker = min(left, key=lambda k: (filled[k], k))
                found[tenant] = taker
                filled[taker] += float(row[tenant])
    return found


def load_after_loss(
    homes: Sequence[Sequence[int]],
    backups: Sequence[int],
    loads: npt.ArrayLike,
    engine: int,
    num_engines: int,
) -> list[float]:
    """Return the load of each engine after one is lost; 0.0 for that one.

    Arguments are those of backups and what it returned; a tenant's other
    homes share its load equally. Raises ValueError for an engine that is not
    from 0 to num_engines - 1, or a tenant whose backup is its own home.
    """
    row = check_loads(loads)
    rows = check_homes(homes, num_engines, len(row))
    lost = integer("engine", engine, 0, num_engines - 1)
    takers = _checked_backups(backups, rows, num_engines)
    filled = _without(rows, row, num_engines, lost)
    for tenant, load in enumerate(row.tolist()):
        if rows[tenant] == [lost]:
            filled[takers[tenant]] += load
    return filled


def homes_after_loss(
    homes: Sequence[Sequence[int]],
    backups: Sequence[int],
    engine: int,
    num_engines: int,
) -> Homes:
    """Return the homes of each tenant after one engine is lost.

    Arguments and errors are those of load_after_loss.
    """
    rows = check_homes(homes, num_engines)
    lost = integer("engine", engine, 0, num_engines - 1)
    takers = _checked_backups(backups, rows, num_engines)
    return [
        [k for k in row if k != lost] or [taker]
        for row, taker in zip(rows, takers, strict=True)
    ]


def _without(homes, loads, num_engines, lost):
    """The loads of engines by the tenants that still have a home."""
    filled = [0.0] * num_engines
    for engines, load in zip(homes, loads.tolist(), strict=True):
        left = [k for k in engines if k != lost]
        for engine in left:
            filled[engine] += load / len(left)
    return filled


def _fitting(ranks, max_ranks, num_engines, num_tenants):
    """The engines that each tenant's rank allows."""
    if ranks is None and max_ranks is None:
        return [range(num_engines)] * num_tenants
    if ranks is None or max_ranks is None:
        raise ValueError("ranks and max_ranks must be given both, or neither")
    widest = items("max_ranks", max_ranks, object)
    found = may_serve(ranks, widest)
    if len(found) != num_tenants or len(widest) != num_engines:
        raise ValueError(
            f"ranks holds {len(found)} and max_ranks {len(widest)}, but they "
            f"must hold {num_tenants} tenants and {num_engines} engines"
        )
    return found


def _checked_backups(backups, homes, num_engines):
    row = [
        integer(f"backups[{t}]", one, NO_BACKUP, num_engines - 1)
        for t, one in enumerate(items("backups", backups, object))
    ]
    if len(row) != len(homes):
        raise ValueError(
            f"backups is {shown(row)}, but must hold one engine for each of "
            f"{len(homes)} tenants"
        )
    for tenant, taker in enumerate(row):
        alone = len(homes[tenant]) == 1
        if alone and (taker == NO_BACKUP or taker in homes[tenant]):
            raise ValueError(
                f"backups[{tenant}] is {taker}, but must be an engine other "
                f"than its home {homes[tenant][0]}"
            )
    return row
