"""Serve a workload on a simulated engine, and what came of it."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import integer
from multilora.cache.fast import use_numba
from multilora.serving.cost import (
    StepCost,
    check_cost,
    published_cost,
    require_countable,
)
from multilora.serving.limits import Limits, check_limits
from multilora.serving.trace import Trace
from multilora.serving.workload import Workload, check_workload

# The plain engine serves these in a tenth of a second.
WORTH_REQUESTS = 5_000


class ServingRun(NamedTuple):
    """A workload, the engine that served it, and its Trace."""

    workload: Workload
    limits: Limits
    cost: StepCost
    trace: Trace

    @property
    def ttft_ns(self) -> np.ndarray:
        """Time to first token of each request, from its arrival."""
        return self.trace.first_token - self.workload.arrival_ns

    @property
    def is_hit(self) -> np.ndarray:
        """True where a request's adapter needed no load; base is True."""
        return self.trace.loaded_from == 0

    @property
    def duration_ns(self) -> int:
        """From the first arrival to the last token."""
        return int(self.trace.finished.max() - self.workload.arrival_ns[0])

    @property
    def utilisation(self) -> dict[str, float]:
        """Shares of the duration: busy, loading, seats and slots in use."""
        totals, limits = self.trace.totals, self.limits
        return {
            "busy": totals.busy_ns / self.duration_ns,
            "loading": totals.load_ns / self.duration_ns,
            "seats": totals.seat_ns / (limits.max_num_seqs * self.duration_ns),
            "slots": totals.active_ns / (limits.max_loras * self.duration_ns),
        }


def serve(
    workload: Workload,
    limits: Limits,
    cost: StepCost | None = None,
    engine: str = "auto",
    seed: int = 0,
) -> ServingRun:
    """Return the ServingRun of a Workload on one engine.

    limits is what engine_limits() returns, cost a StepCost, by default the
    published_cost(). Each step: new requests join the queue; running ones
    get a token each; the queue is walked as budget.plan_step does, prompts
    cut to the token budget; the step's adapters are activated as
    AdapterTiers does, each load stopping the engine; then the step computes.
    Adapters are walked in one order drawn from seed, as a Python set's is
    per process. KV blocks, prefix hits and preemption are not modelled.
    engine is one of fast.ENGINES; all give equal results. Raises ValueError
    for a run whose times would pass 2**63 ns, some 292 years.
    """
    workload = check_workload(workload)
    limits = check_limits(limits)
    cost = check_cost(published_cost() if cost is None else cost)
    require_countable(cost, workload, limits)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    order = rng.permutation(workload.num_adapters)
    if use_numba(engine, workload.num_requests, WORTH_REQUESTS):
        from multilora.serving.compiled import run_engine
    else:
        from multilora.serving.plain import run_engine
    trace = run_engine(workload, limits, cost, order)
    return ServingRun(workload, limits, cost, trace)
