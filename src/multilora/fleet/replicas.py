"""Replicas: on how many engines a tenant must be, by its load."""

import math

import numpy.typing as npt

from multilora.arguments import finite_number, integer
from multilora.fleet.homes import MAX_ENGINES, check_engines
from multilora.fleet.loads import DUST, check_loads


def replicas_needed(load: float, headroom: float = 0.0) -> int:
    """Return the fewest engines that can serve one tenant.

    load is in engine loads: 1.0 is all that one engine can serve. headroom
    is the share of an engine that is kept free, from 0 to below 1. A tenant
    of 2.5 needs 3 engines, and with a headroom of 0.3 it needs 4. A tenant
    without load needs 1. Raises ValueError above MAX_ENGINES engines.
    """
    load = finite_number("load", load, minimum=0)
    headroom = finite_number("headroom", headroom, 0, 1)
    share = 1 - headroom
    if load > MAX_ENGINES * share or not share:
        raise ValueError(
            f"load is {load:g} and headroom {headroom:g}, which needs more "
            f"than {MAX_ENGINES:,} engines"
        )
    return _count(load, share)


def replicas(
    loads: npt.ArrayLike,
    num_engines: int,
    max_share: float = 1.0,
    num_spare: int = 0,
) -> list[int]:
    """Return on how many engines each tenant must be.

    loads are in engine loads, one a tenant. max_share is the largest share
    of an engine that one tenant may take. num_spare engines more are given
    to each tenant that needs several, so that the others hold its load when
    so many are lost; a tenant on one engine has a backup instead (backups).
    Raises ValueError where a tenant needs more engines than there are.
    """
    row = check_loads(loads)
    num = check_engines(num_engines)
    share = finite_number("max_share", max_share, maximum=1, above=0)
    spare = integer("num_spare", num_spare, 0, MAX_ENGINES)
    found = []
    for tenant, load in enumerate(row.tolist()):
        count = _count(load, share)
        count += spare if count > 1 else 0
        if count > num:
            raise ValueError(
                f"loads[{tenant}] is {load:g}, which needs {count:,} replicas "
                f"or more, but num_engines is {num}"
            )
        found.append(count)
    return found


def _count(load: float, share: float) -> int:
    """Return the engines that hold a load, or MAX_ENGINES + 1 for more."""
    num = min(load / share * (1 - DUST), MAX_ENGINES + 1)
    return max(1, math.ceil(num))
