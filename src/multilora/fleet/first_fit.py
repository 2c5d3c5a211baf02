"""First fit: tenants go to the first engine with room, the largest first."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from multilora.arguments import finite_number, integer
from multilora.fleet.homes import MAX_TENANTS
from multilora.fleet.loads import DUST, check_a_tenant, check_loads
from multilora.fleet.ranks import rank_classes


def first_fit(
    loads: npt.ArrayLike, slots: int, capacity: float = 1.0
) -> list[list[int]]:
    """Return the tenants of each engine; engines open as they are needed.

    loads is one number a tenant, capacity what an engine serves, in the same
    unit, and slots how many tenants it may have. Each tenant, the largest
    load first, goes to the first engine with room for both. By load alone
    that is at most 11/9 of the fewest engines and 6/9 of one (first-fit
    decreasing: Dósa 2007, The tight bound of first fit decreasing). Time
    grows with tenants × engines. Raises ValueError for a load above
    capacity: that tenant needs replicas.
    """
    row = check_loads(loads)
    most = integer("slots", slots, 1, MAX_TENANTS)
    capacity = finite_number("capacity", capacity, above=0)
    if row.max() > capacity * (1 + DUST):
        tenant = int(row.argmax())
        raise ValueError(
            f"loads[{tenant}] is {row[tenant]:g}, above the capacity of one "
            f"engine, {capacity:g}: give it replicas"
        )
    found: list[list[int]] = []
    filled: list[float] = []
    for tenant in np.argsort(-row, kind="stable").tolist():
        room = capacity * (1 + DUST) - float(row[tenant])
        for engine, tenants in enumerate(found):
            if filled[engine] <= room and len(tenants) < most:
                break
        else:
            engine = len(found)
            found.append([])
            filled.append(0.0)
        found[engine].append(tenant)
        filled[engine] += float(row[tenant])
    return [sorted(tenants) for tenants in found]


def first_fit_by_rank(
    loads: npt.ArrayLike,
    ranks: Iterable[int],
    slots: int | Mapping[int, int],
    capacity: float = 1.0,
) -> list[list[int]]:
    """Return the tenants of each engine; each engine has one rank only.

    A slot is as wide as the engine's max_lora_rank, so large ranks apart
    keep the other engines' slots narrow; it costs less than one engine more
    for each rank. The highest rank comes first. slots is how many tenants
    an engine may have, one number or {rank: number}, as narrow slots are
    cheaper. The rest and the errors are those of first_fit.
    """
    row = check_loads(loads)
    asked = check_a_tenant("ranks", ranks, len(row), 1)
    found = []
    for rank, tenants in rank_classes(asked.tolist()):
        given = slots.get(rank) if isinstance(slots, Mapping) else slots
        most = integer(f"slots of rank {rank}", given, 1, MAX_TENANTS)
        groups = first_fit(row[tenants], most, capacity)
        found += [[tenants[place] for place in group] for group in groups]
    return found
