"""An engine that runs along while its router watches it."""

from typing import NamedTuple, Protocol

import numpy as np

from multilora.cache.tiers import AdapterTiers
from multilora.serving.cost import StepCost
from multilora.serving.limits import Limits
from multilora.serving.workload import Workload


class Engine(Protocol):
    """What PlainEngine and CompiledEngine can do."""

    @property
    def num_running(self) -> int: ...
    @property
    def num_waiting(self) -> int: ...
    @property
    def kv_share(self) -> float: ...
    @property
    def running_names(self) -> frozenset[int]: ...
    def within(self, distance: int) -> frozenset[int]: ...
    def run_until(self, until_ns: int) -> int: ...
    def add(
        self,
        arrival_ns: int,
        adapter_id: int,
        prompt_tokens: int,
        output_tokens: int,
        hit_tokens: int,
    ) -> None: ...


class Columns(NamedTuple):
    """A workload as lists, which are quicker one by one; hit by limits."""

    adapter_ids: list[int]
    prompt_tokens: list[int]
    output_tokens: list[int]
    hit_tokens: list[int]


def columns_of(workload: Workload, limits: Limits) -> Columns:
    """Return the Columns of a workload on an engine."""
    hit = limits.hit_tokens(workload.prompt_tokens)
    return Columns(*(c.tolist() for c in (*workload[1:4], hit)))


def start_engine(
    workload: Workload, limits: Limits, cost: StepCost, seed: int, engine: str
) -> Engine:
    """Return a cold engine; engine is numba or plain, seed as in serve."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(workload.num_adapters)
    tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
    if engine == "numba":
        from multilora.serving.told import CompiledEngine

        return CompiledEngine(workload, limits, cost, order, tiers)
    from multilora.serving.plain import PlainEngine

    return PlainEngine(limits, cost, order, tiers)
