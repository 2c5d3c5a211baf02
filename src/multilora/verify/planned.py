"""The traffic of one engine of a plan, drawn again from what it holds."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.matmul.operands import BASE
from multilora.memory.kv import BLOCK_TOKENS
from multilora.plan.answer import Plan, Tenant, engine_of
from multilora.serving.limits import Limits, engine_limits
from multilora.serving.workload import Workload, make_workload
from multilora.traffic.arrivals import poisson_arrivals

# What a plan does not hold, and so nobody can send again.
LOST = (
    "when requests came: here each tenant asks at random at their mean rate, "
    "so bursts, sessions and peaks of the traffic are left out",
    "how lengths vary: here they are geometric around each tenant's means, "
    "so a tail of very long prompts is left out",
    "what prompts say: here they are random tokens, so no two share a prefix",
)


class Planned(NamedTuple):
    """Requests to send, and tenants[places[k]] is the one who sends k.

    Adapter ids are places too, but for a tenant of rank 0: the base.
    """

    workload: Workload
    tenants: tuple[Tenant, ...]
    places: np.ndarray

    @property
    def seconds(self) -> float:
        """When the last request is sent."""
        return float(self.workload.arrival_ns[-1]) / 1e9


def planned_traffic(
    plan: Plan,
    number: int = 1,
    seconds: float = 60,
    max_requests: int = 2000,
    seed: int = 0,
) -> Planned:
    """Return what the tenants of a plan's engine may send in `seconds`.

    Poisson arrivals at each tenant's rate, geometric lengths around their
    means, cut to fit max_model_len; see LOST. Where more than max_requests
    would come, the time is shorter. Raises ValueError for an engine that the
    plan has not, or a time in which no request comes.
    """
    engine = engine_of(plan, number)
    seconds = finite_number("seconds", seconds, above=0, maximum=86_400)
    most = integer("max_requests", max_requests, 1, 100_000)
    seed = integer("seed", seed, 0, 2**31)
    tenants = tuple(one for one in engine.tenants if one.requests_per_s > 0)
    rates = np.array([one.requests_per_s for one in tenants])
    if rates.sum() * seconds > most:
        seconds = most / float(rates.sum())
    times = np.array([])
    if len(tenants):
        times, ids = poisson_arrivals(rates, seconds, seed=seed)
        times, ids = times[:most], ids[:most]
    if not len(times):
        raise ValueError(
            f"seconds is {seconds:g}, in which engine {number} gets no "
            f"request at {rates.sum():.3g} requests/s: give more"
        )
    rng = np.random.default_rng(seed)
    longest = plan.max_model_len
    prompts = _lengths(rng, [one.mean_prompt_tokens for one in tenants], ids)
    replies = _lengths(rng, [one.mean_output_tokens for one in tenants], ids)
    replies = np.minimum(replies, max(1, longest - 1))
    prompts = np.clip(prompts, 1, np.maximum(1, longest - replies))
    is_base = np.array([one.rank == 0 for one in tenants])
    adapter_ids = np.where(is_base[ids], BASE, ids)
    workload = make_workload(
        times, adapter_ids, prompts, replies, len(tenants)
    )
    return Planned(workload, tenants, ids)


def planned_limits(plan: Plan, number: int = 1) -> Limits:
    """Return the Limits of a plan's engine, the KV cache at its low end.

    Where that does not hold a longest request, it is never full.
    """
    engine = engine_of(plan, number)
    it, kv_tokens = engine.setting, engine.memory.kv_tokens_low
    has_room = kv_tokens >= plan.max_model_len
    return engine_limits(
        it.max_loras, it.max_num_seqs, it.max_num_batched_tokens,
        it.max_cpu_loras,
        num_gpu_blocks=kv_tokens // BLOCK_TOKENS if has_room else None,
    )  # fmt: skip


def _lengths(rng, means, ids) -> np.ndarray:
    """Return a length for each request; its tenant's mean is the mean."""
    means = np.clip(np.array(means), 1, 10**6)[ids]
    return np.minimum(rng.geometric(1 / means), 10**6)
