"""Serve a workload on a simulated engine, and what came of it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import integer, items
from multilora.cache.fast import use_numba
from multilora.cache.tiers import AdapterTiers
from multilora.serving.cost import (
    MAX_NS,
    StepCost,
    check_cost,
    require_countable,
)
from multilora.serving.front import Front, pass_front
from multilora.serving.limits import Limits, check_limits, require_fitting
from multilora.serving.terms import fitted_cost
from multilora.serving.trace import Trace
from multilora.serving.workload import Workload, check_workload

# The plain engine serves these in a tenth of a second.
WORTH_REQUESTS = 5_000


class ServingRun(NamedTuple):
    """A workload, the engine that served it, its Trace, and its Front."""

    workload: Workload
    limits: Limits
    cost: StepCost
    trace: Trace
    front: Front

    @property
    def ttft_ns(self) -> np.ndarray:
        """Time to first token of each request, from its arrival."""
        seen = self.front.seen_ns(self.trace.first_token)
        return seen - self.workload.arrival_ns + self.cost.api_ns

    @property
    def tpot_ns(self) -> np.ndarray:
        """Time per output token after the first, of each request.

        NaN for a request of one token.
        """
        decoding = self.trace.finished - self.trace.first_token
        num = self.workload.output_tokens - 1
        return np.divide(
            decoding, num, out=np.full(len(num), np.nan), where=num > 0
        )

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
    used_before: Iterable[int] = (),
) -> ServingRun:
    """Return the ServingRun of a Workload on one engine.

    limits is what engine_limits() returns, cost a StepCost, by default the
    fitted_cost() of these slots: Qwen2.5-7B, rank 16, adapters that the API
    server has seen before. Each step: new requests join the queue; running
    ones get a token each; the queue is walked as budget.plan_step does,
    prompts cut to the token budget; the step's adapters are activated as
    AdapterTiers does, each load stopping the engine; then the step computes.
    Adapters are walked in one order drawn from seed, as a Python set's is
    per process. A request that decodes takes a KV block every block_size
    tokens; where none is free, the request that was admitted last loses its
    blocks and computes its tokens again, and nobody is let in in that step;
    a request is let in where its whole prompt has blocks (vLLM's default).
    used_before names adapters in the order of their last use before the run:
    the CPU tier and the slots hold them as far as they reach; without it
    both are empty. engine is one of fast.ENGINES; all give equal results.
    Raises ValueError for a run whose times would pass 2**63 ns, some 292
    years, or a request that no KV cache of that size can hold.
    """
    return serve_until(
        MAX_NS, workload, limits, cost, engine, seed, used_before
    )


def serve_until(
    until_ns: int,
    workload: Workload,
    limits: Limits,
    cost: StepCost | None = None,
    engine: str = "auto",
    seed: int = 0,
    used_before: Iterable[int] = (),
) -> ServingRun:
    """Do as serve does, but run no step that would begin at until_ns.

    For an engine that dies: a first_token or a finished of 0 is one that
    never came.
    """
    until_ns = integer("until_ns", until_ns, 0, MAX_NS)
    workload = check_workload(workload)
    limits = check_limits(limits)
    cost = fitted_cost(limits.max_loras) if cost is None else cost
    cost = check_cost(cost)
    require_countable(cost, workload, limits)
    require_fitting(limits, workload)
    last = workload.num_adapters - 1
    used = [
        integer("an id of used_before", item, 0, last)
        for item in items("used_before", used_before, object)
    ]
    tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
    for adapter_id in used:
        tiers.activate(adapter_id)
    front = pass_front(workload, cost, used)
    at_engine = workload._replace(arrival_ns=front.at_engine_ns)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    order = rng.permutation(workload.num_adapters)
    if use_numba(engine, workload.num_requests, WORTH_REQUESTS):
        from multilora.serving.compiled import run_engine
    else:
        from multilora.serving.plain import run_engine
    trace = run_engine(at_engine, limits, cost, order, tiers, until_ns)
    return ServingRun(workload, limits, cost, trace, front)
