"""Which tenants share an engine: by their load, or by rank first."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from multilora.arguments import integer, integer_array, items
from multilora.fleet.loads import check_loads


def balanced(loads: npt.ArrayLike, num_engines: int) -> list[list[int]]:
    """Return the tenants of each engine, their loads about equal.

    loads is one number a tenant, in any unit. Each tenant, the largest load
    first, goes to the engine with the least load so far; of equals to the
    one with the fewest tenants. No engine is empty. Raises ValueError for
    fewer tenants than engines, or a load below 0.
    """
    row, num = _checked(loads, num_engines)
    found: list[list[int]] = [[] for _ in range(num)]
    filled = [0.0] * num
    for tenant in np.argsort(-row, kind="stable").tolist():
        least = min(range(num), key=lambda k: (filled[k], len(found[k]), k))
        found[least].append(tenant)
        filled[least] += float(row[tenant])
    return [sorted(tenants) for tenants in found]


def by_rank(
    loads: npt.ArrayLike, ranks: Iterable[int], num_engines: int
) -> list[list[int]]:
    """Return the tenants of each engine: high ranks together.

    A slot is as wide as the engine's max_lora_rank, so one tenant of a high
    rank makes every slot of an engine wide. Tenants in order of rank, of
    equals the largest load first, are cut into engines where the loads are
    about equal. Raises ValueError as balanced does, and for another number
    of ranks.
    """
    row, num = _checked(loads, num_engines)
    sizes = integer_array(
        "ranks", items("ranks", ranks, object), "one rank a tenant"
    )
    if sizes.shape != row.shape:
        raise ValueError(
            f"ranks holds {sizes.size}, but must be one for each of the "
            f"{row.size} loads"
        )
    order = np.lexsort((-row, -sizes))
    reached = np.cumsum(row[order])
    wanted = reached[-1] * np.arange(1, num) / num
    cuts = np.searchsorted(reached, wanted, side="left") + 1
    # Each engine keeps a tenant, whatever the loads are.
    for k in range(len(cuts)):
        least = cuts[k - 1] + 1 if k else 1
        cuts[k] = min(max(cuts[k], least), len(order) - (num - 1 - k))
    return [sorted(part.tolist()) for part in np.split(order, cuts)]


def _checked(loads: npt.ArrayLike, num_engines: int) -> tuple[np.ndarray, int]:
    row = check_loads(loads)
    return row, integer("num_engines", num_engines, 1, len(row))
