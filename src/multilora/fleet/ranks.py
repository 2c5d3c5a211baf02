"""Ranks: an engine serves those up to its max_lora_rank."""

from collections.abc import Iterable, Sequence

import numpy as np

from multilora.arguments import integer, items
from multilora.fleet.homes import Homes, check_homes

MAX_RANK = 10**6


def may_serve(ranks: Iterable[int], max_ranks: Iterable[int]) -> Homes:
    """Return the engines that may serve each tenant, in order.

    ranks is one a tenant, max_ranks the max_lora_rank of each engine; vLLM
    refuses an adapter of a higher rank. Raises ValueError for a tenant that
    nobody may serve.
    """
    asked = _checked("ranks", ranks)
    widest = _checked("max_ranks", max_ranks)
    found = [
        [k for k, most in enumerate(widest) if rank <= most] for rank in asked
    ]
    if [] in found:
        tenant = found.index([])
        raise ValueError(
            f"ranks[{tenant}] is {asked[tenant]}, so nobody may serve tenant "
            f"{tenant}: the highest of max_ranks is {max(widest)}"
        )
    return found


def ranks_needed(
    homes: Sequence[Sequence[int]], ranks: Iterable[int], num_engines: int
) -> list[int]:
    """Return the highest rank on each engine; 0 where no tenant is.

    With homes and each tenant's backup in one list that is the lowest
    max_lora_rank with which every engine can take over what it must. Raises
    ValueError for another number of ranks than of homes.
    """
    asked = _checked("ranks", ranks)
    rows = check_homes(homes, num_engines, len(asked))
    found = [0] * num_engines
    for rank, engines in zip(asked, rows, strict=True):
        for engine in engines:
            found[engine] = max(found[engine], rank)
    return found


def rank_classes(ranks: Iterable[int]) -> list[tuple[int, list[int]]]:
    """Return (rank, its tenants) for each rank, the highest first."""
    asked = np.array(_checked("ranks", ranks))
    return [
        (int(rank), np.flatnonzero(asked == rank).tolist())
        for rank in np.unique(asked)[::-1]
    ]


def _checked(name, values):
    row = [
        integer(f"{name}[{place}]", one, 1, MAX_RANK)
        for place, one in enumerate(items(name, values, object))
    ]
    if not row:
        raise ValueError(f"{name} is empty, but must hold at least one rank")
    return row
