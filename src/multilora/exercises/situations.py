"""Five engines in trouble, and what their metrics would say."""

from functools import cache

import numpy as np

from multilora.arguments import choice
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import CAUSES, causes_ns
from multilora.serving.limits import engine_limits
from multilora.serving.run import ServingRun, serve
from multilora.serving.workload import make_workload
from multilora.traffic import arrivals

DURATION_S = 120
# Requests a second of each tenant, tokens of a prompt and of a reply, limits.
_PLANS = {
    "A": (
        [0.4] * 12,
        200,
        80,
        engine_limits(4, max_cpu_loras=12, num_gpu_blocks=4_000),
    ),
    "B": (
        [5.2, 5.2],
        200,
        80,
        engine_limits(4, max_num_seqs=12, num_gpu_blocks=4_000),
    ),
    "C": ([0.05] * 12, 200, 20, engine_limits(4)),
    "D": ([1.0, 1.0], 5_000, 10, engine_limits(4, num_gpu_blocks=4_000)),
    "E": ([3.0, 3.0], 200, 200, engine_limits(4, num_gpu_blocks=400)),
}
NAMES = tuple(_PLANS)
WAITS = CAUSES[1:-1]


@cache
def situation(name: str) -> ServingRun:
    """Return the ServingRun of one of NAMES, at the fitted cost."""
    rates, prompt, output, limits = _PLANS[choice("name", name, NAMES)]
    times, ids = arrivals.poisson_arrivals(rates, DURATION_S)
    workload = make_workload(times, ids, prompt, output, len(rates))
    return serve(workload, limits)


def metrics(name: str) -> dict[str, float]:
    """Return what vLLM 0.32.0's metrics would say, means over the run.

    The keys are vLLM's names, with a reason behind the two counts of
    waiting requests; TTFT is in ms. max_num_seqs and max_lora are settings,
    and the adapters that ask a router's count: vLLM names none that waits.
    """
    run = situation(name)
    trace, duration = run.trace, run.duration_ns
    parts = causes_ns(run)
    p50, p99 = np.percentile(run.ttft_ns, [50, 99]) / NS_PER_MS
    num_tokens = run.workload.prompt_tokens.sum()
    return {
        "vllm:num_requests_running": trace.totals.seat_ns / duration,
        "max_num_seqs": run.limits.max_num_seqs,
        "vllm:num_requests_waiting_by_reason deferred":
            parts["deferral"].sum() / duration,
        "vllm:num_requests_waiting_by_reason capacity":
            (parts["seats"] + parts["kv"]).sum() / duration,
        "adapters that ask": run.workload.num_adapters,
        "max_lora": run.limits.max_loras,
        "prompt tokens a step": num_tokens / trace.totals.num_steps,
        "vllm:kv_cache_usage_perc": trace.totals.kv_ns / duration,
        "vllm:num_preemptions": trace.totals.num_preemptions,
        "TTFT p50, ms": p50,
        "TTFT p99, ms": p99,
    }  # fmt: skip


def largest_wait(name: str) -> str:
    """Return which of WAITS took most of the slowest tenth's TTFT.

    The prompt's own compute is nobody's fault and is left out; nothing of
    the API server is played.
    """
    run = situation(name)
    slow = run.ttft_ns >= np.percentile(run.ttft_ns, 90)
    parts = causes_ns(run)
    return max(WAITS, key=lambda cause: parts[cause][slow].sum())
