"""Runs of the operator's page: a night job, a restart, who was late."""

from functools import cache

import numpy as np

from multilora import traffic
from multilora.figures.serving import (
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    SLO_MS,
    TENANTS,
)
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import late_by_cause
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import geometric_tokens, make_workload
from multilora.traffic import arrivals

OPENS_S = 30  # when traffic is let in after a restart


@cache
def night_run(max_loras=8, max_num_batched_tokens=8192, is_job_here=True):
    """Return (ServingRun, bool of each request: is it the job's).

    Five minutes of 40 tenants, three requests a second under Zipf 1, all
    adapters in the CPU tier; from 120 to 180 s tenant 39 also sends three
    prompts of 4,000 tokens a second.
    """
    rates = 3 * traffic.zipf_popularity(TENANTS)
    times, ids = arrivals.poisson_arrivals(rates, 300)
    job_times, _ = arrivals.poisson_arrivals([3 * is_job_here], 60, seed=1)
    is_job = np.repeat([False, True], [len(times), len(job_times)])
    times = np.concatenate([times, job_times + 120])
    order = np.argsort(times, kind="stable")
    is_job = is_job[order]
    workload = make_workload(
        times[order],
        np.append(ids, np.full(len(job_times), TENANTS - 1))[order],
        np.where(is_job, 4000, PROMPT_TOKENS),
        geometric_tokens(len(times), OUTPUT_TOKENS),
        TENANTS,
    )
    limits = engine_limits(
        max_loras,
        max_num_batched_tokens=max_num_batched_tokens,
        max_cpu_loras=TENANTS,
    )
    return serve(workload, limits), is_job


def late_table(run, start_s, end_s, is_counted=True):
    """Return how requests fared that came from start_s to before end_s.

    p50_ms and p99_ms of TTFT; gap_ms, the 99th percentile of a request's
    mean gap between tokens; late, requests above SLO_MS by cause.
    is_counted is a bool a request, or one for all. Raises ValueError if no
    request came.
    """
    at_s = run.workload.arrival_ns / 1e9
    chosen = (at_s >= start_s) & (at_s < end_s) & is_counted
    if not chosen.any():
        raise ValueError(
            f"no counted request came from {start_s} to {end_s} s"
        )
    p50, p99 = np.percentile(run.ttft_ns[chosen], [50, 99]) / NS_PER_MS
    gaps = run.workload.output_tokens - 1
    decode = (run.trace.finished - run.trace.first_token)[chosen & (gaps > 0)]
    gap_ms = decode / gaps[chosen & (gaps > 0)] / NS_PER_MS
    late = late_by_cause(run, SLO_MS)
    return {
        "p50_ms": p50,
        "p99_ms": p99,
        "gap_ms": np.percentile(gap_ms, 99) if len(gap_ms) else np.nan,
        "late": {
            cause: int((one & chosen).sum()) for cause, one in late.items()
        },
    }


@cache
def restart_run(max_cpu_loras, is_warmed):
    """Return the ServingRun of a cold engine of 16 slots that gets traffic.

    Eight requests a second of 40 tenants under Zipf 1 from OPENS_S on. The
    API server is cold too. A warmed engine first gets one token's request
    for each tenant, two a second.
    """
    times, ids = arrivals.poisson_arrivals(
        8 * traffic.zipf_popularity(TENANTS), 120
    )
    warm = np.arange(TENANTS if is_warmed else 0)
    once = np.ones_like(warm)
    workload = make_workload(
        np.append(warm / 2, times + OPENS_S),
        np.append(warm, ids),
        np.append(once, np.full(len(ids), PROMPT_TOKENS)),
        np.append(once, geometric_tokens(len(ids), OUTPUT_TOKENS)),
        TENANTS,
    )
    limits = engine_limits(16, max_cpu_loras=max_cpu_loras)
    return serve(workload, limits, fitted_cost(16, is_cold=True))
