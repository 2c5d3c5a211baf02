"""Which tenants share an engine: by their load, or by rank first."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from multilora.arguments import integer
from multilora.fleet.homes import engine_lists
from multilora.fleet.loads import check_a_tenant, check_loads
from multilora.fleet.turns import in_turn


def balanced(loads: npt.ArrayLike, num_engines: int) -> list[list[int]]:
    """Return the tenants of each engine, their loads about equal.

    loads is one number a tenant, in any unit. Each tenant, the largest load
    first, goes to the engine with the least load so far; of equals to the
    one with the fewest tenants. No engine is empty. Raises ValueError for
    fewer tenants than engines, or a load below 0.
    """
    row, num = _checked(loads, num_engines)
    return engine_lists(in_turn(row, [1] * len(row), num), num)


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
    sizes = check_a_tenant("ranks", ranks, len(row), 1)
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
