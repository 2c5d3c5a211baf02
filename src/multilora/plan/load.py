"""The part of the traffic that each engine of a plan gets."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from multilora.matmul.operands import BASE
from multilora.serving.workload import Workload

Groups = Sequence[Sequence[int]]  # the tenants of each engine


def engine_load(workload: Workload, groups: Groups, number: int) -> Workload:
    """Return the requests of one engine; its tenants are numbered anew.

    Requests of the base go to the engines in turn; so do those of a tenant
    who is on several, to these.
    """
    tenants = np.asarray(groups[number], dtype=np.int64)
    place = np.full(workload.num_adapters + 1, BASE)  # the base is the last
    place[tenants] = np.arange(len(tenants))
    is_base = workload.adapter_ids == BASE
    is_mine = np.isin(workload.adapter_ids, tenants)
    turn = (np.cumsum(is_base) - 1) % len(groups) == number
    chosen = is_mine | (is_base & turn)
    for tenant, mine, num in _shared(groups, number):
        rows = np.flatnonzero(workload.adapter_ids == tenant)
        chosen[rows[np.arange(len(rows)) % num != mine]] = False
    return Workload(
        workload.arrival_ns[chosen],
        place[workload.adapter_ids[chosen]],
        workload.prompt_tokens[chosen],
        workload.output_tokens[chosen],
        len(tenants),
    )


def _shared(groups: Groups, number: int) -> list[tuple[int, int, int]]:
    """(tenant, its turn here, its engines) of who is on others too."""
    on = Counter(tenant for group in groups for tenant in group)
    before = Counter(tenant for group in groups[:number] for tenant in group)
    return [
        (tenant, before[tenant], on[tenant])
        for tenant in groups[number]
        if on[tenant] > 1
    ]
