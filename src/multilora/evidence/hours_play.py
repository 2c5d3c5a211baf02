"""Play an hour again in the simulator: same rates, engine and lengths."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import integer, shown
from multilora.evidence.hours_file import Hour, check_hour
from multilora.memory.kv import kv_bytes_per_token
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_shape
from multilora.published import shared
from multilora.serving.cost import NS_PER_MS
from multilora.serving.limits import Limits, engine_limits
from multilora.serving.run import ServingRun, serve
from multilora.serving.terms import StepTerms, fitted_kv_bytes
from multilora.serving.workload import NS_PER_S, Workload, make_workload
from multilora.traffic.arrivals import poisson_arrivals
from multilora.traffic.lengths import lognormal_tokens

# The engines of the hours: see data/step_terms.json.
VERSION, BLOCK_TOKENS = "0.8.5", 16
MAX_NUM_SEQS, MAX_PROMPT, MAX_OUTPUT = 2048, 1024, 1024
# What vLLM 0.8.5 serves with on a card below 70 GiB (EngineArgs); the running
# requests of overloaded hours stop where this budget stops them.
MAX_BATCHED_TOKENS = 2048
# Above this p99 an hour counts as overloaded: its queue only grew.
OVERLOADED_MS = 60_000


class Played(NamedTuple):
    """What the simulated clients saw within the hour; ms, or a second."""

    p50_ms: float
    p99_ms: float
    tpot_ms: float
    rate: float
    kv_share: float

    @property
    def is_overloaded(self) -> bool:
        return self.p99_ms >= OVERLOADED_MS


def hour_workload(hour: Hour, seed: int = 0) -> Workload:
    """Return the Workload of an Hour: Poisson, lengths of its two means.

    The spread of lengths is fitted (data/step_terms.json).
    """
    hour = check_hour(hour)
    seed = integer("seed", seed, minimum=0)
    spread = shared("step_terms")["lengths"]
    times, ids = poisson_arrivals(hour.rates_of_adapters, hour.seconds, seed)
    num = len(times)
    return make_workload(
        times,
        ids,
        lognormal_tokens(
            num, hour.mean_prompt, spread["prompt_sigma"], MAX_PROMPT, seed + 1
        ),
        lognormal_tokens(
            num, hour.mean_output, spread["output_sigma"], MAX_OUTPUT, seed + 2
        ),
        hour.num_adapters,
    )


def hour_limits(hour: Hour, pool_bytes: int | None = None) -> Limits:
    """Return the Limits of an Hour's engine; all adapters fit in CPU memory.

    The KV pool is pool_bytes, by default the model's fitted_kv_bytes, less
    the slots' bytes. Raises ValueError where the slots leave less than one
    request of full length.
    """
    hour = check_hour(hour)
    tokens = kv_tokens_left(
        hour.model, hour.max_loras, hour.max_lora_rank, pool_bytes
    )
    if tokens < MAX_PROMPT + MAX_OUTPUT:
        raise ValueError(
            f"hour has {hour.max_loras} slots of rank {hour.max_lora_rank}, "
            f"which leave KV for {tokens:,} tokens of {hour.model}"
        )
    return engine_limits(
        hour.max_loras,
        MAX_NUM_SEQS,
        MAX_BATCHED_TOKENS,
        max(hour.max_loras, hour.num_adapters),
        num_gpu_blocks=tokens // BLOCK_TOKENS,
    )


def kv_tokens_left(
    model: str,
    max_loras: int,
    max_lora_rank: int,
    pool_bytes: int | None = None,
) -> int:
    """Return how many KV tokens the slots leave on the card of the hours.

    pool_bytes is the pool without slots, by default the model's
    fitted_kv_bytes. Negative where the slots do not fit. Raises ValueError
    for a model without fitted terms.
    """
    if pool_bytes is None:
        pool_bytes = fitted_kv_bytes(model)
    left = integer("pool_bytes", pool_bytes, minimum=0) - slot_bytes(
        model, max_loras, max_lora_rank
    )
    return left // kv_bytes_per_token(model_shape(model))


def slot_bytes(model: str, max_loras: int, max_lora_rank: int) -> int:
    """Return the bytes of an engine's slots, in the vLLM of the hours."""
    return slot_reservation_bytes(
        model_shape(model), max_loras, max_lora_rank, vllm_version=VERSION
    )


def play_hour(
    hour: Hour,
    terms: StepTerms,
    engine: str = "auto",
    seed: int = 0,
    workload: Workload | None = None,
    pool_bytes: int | None = None,
) -> Played:
    """Return what the simulator says of an Hour, with these StepTerms.

    workload is what hour_workload(hour, seed) returned before, or None;
    pool_bytes as in hour_limits.
    """
    if not isinstance(terms, StepTerms):
        raise TypeError(f"terms is {shown(terms)}, but must be StepTerms")
    workload = hour_workload(hour, seed) if workload is None else workload
    cost = terms.cost(hour.max_loras, hour.max_lora_rank, is_cold=True)
    limits = hour_limits(hour, pool_bytes)
    run = serve(workload, limits, cost, engine, seed)
    return played(run, hour.seconds)


def played(run: ServingRun, seconds: float) -> Played:
    """Return the figures of the requests that were done in these seconds."""
    is_done = run.trace.finished <= seconds * NS_PER_S
    if not is_done.any():
        return Played(np.inf, np.inf, np.inf, 0.0, 1.0)
    p50, p99 = np.percentile(run.ttft_ns[is_done], [50, 99]) / NS_PER_MS
    totals = run.trace.totals
    return Played(
        float(p50),
        float(p99),
        float(np.nanmean(run.tpot_ns[is_done])) / NS_PER_MS,
        int(is_done.sum()) / seconds,
        totals.kv_ns / run.duration_ns,
    )
