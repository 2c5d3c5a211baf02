"""Who was served late, and what made each late request late."""

import numpy as np

from multilora.arguments import finite_number, shown
from multilora.matmul.operands import BASE
from multilora.serving.cost import NS_PER_MS
from multilora.serving.parts import percentile_of_parts
from multilora.serving.run import ServingRun

# In the order in which a request meets them. "own" is the prompt's own
# compute, which an idle engine with a warm slot would take too.
CAUSES = ("api", "deferral", "kv", "seats", "load", "congestion", "own")


def causes_ns(run: ServingRun) -> dict[str, np.ndarray]:
    """Return {cause: ns of each request's TTFT}; they add up to it exactly.

    api: the API server was held up by a first use, before the engine or
    after it, and what it adds to each. deferral: the step had seats and
    tokens left, but its adapter did not fit among max_loras. kv: no KV
    blocks were free, or it had lost its own. seats: it waited otherwise; a
    step that ran out of seats or tokens counts here, whomever it passed
    over. load: loads, its own or others', stopped the step under way when it
    came, or its own steps. congestion: the rest of that step, and what
    others' tokens added to its own ones. own: its prompt alone.
    """
    trace, workload = _checked(run).trace, run.workload
    alone = run.cost.alone_ns(
        workload.prompt_tokens - run.limits.hit_tokens(workload.prompt_tokens),
        workload.is_adapter,
        run.limits.max_num_batched_tokens,
    )
    compute = (
        trace.first_token
        - trace.admitted
        - trace.prefill_load
        - trace.preempted
    )
    own = np.minimum(alone, compute)
    at_engine = run.front.at_engine_ns
    arrival = trace.joined - at_engine - trace.arrival_load
    api = run.ttft_ns - (trace.first_token - at_engine)
    return {
        "api": api,
        "deferral": trace.deferred,
        "kv": trace.kv_blocked + trace.preempted,
        "seats": trace.admitted
        - trace.joined
        - trace.deferred
        - trace.kv_blocked,
        "load": trace.arrival_load + trace.prefill_load,
        "congestion": arrival + compute - own,
        "own": own,
    }


def late_by_cause(run: ServingRun, slo_ms: float) -> dict[str, np.ndarray]:
    """Return {cause: bool of each request} for those later than slo_ms.

    A late request counts for the largest of its six waits, or for "own"
    where even an idle engine would have been late. Raises ValueError for a
    slo_ms that is not above 0.
    """
    slo_ns = finite_number("slo_ms", slo_ms, above=0) * NS_PER_MS
    parts = causes_ns(run)
    is_late = run.ttft_ns > slo_ns
    largest = np.argmax([parts[cause] for cause in CAUSES[:-1]], axis=0)
    is_own = parts["own"] > slo_ns
    table = {
        cause: is_late & ~is_own & (largest == place)
        for place, cause in enumerate(CAUSES[:-1])
    }
    return table | {"own": is_late & is_own}


def tenant_table(run: ServingRun) -> dict[str, np.ndarray]:
    """Return columns by tenant, for each adapter that asked, base first.

    tenant (its adapter id), num_requests, p50_ms and p99_ms of TTFT,
    hit_rate, num_loads (requests that had to load), num_deferred.
    """
    ids = _checked(run).workload.adapter_ids
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order], prepend=BASE - 1))
    ttft_ms = run.ttft_ns[order] / NS_PER_MS
    num_requests = np.diff(np.append(starts, len(ids)))
    num_loads = np.add.reduceat((~run.is_hit)[order].astype(int), starts)
    is_deferred = run.trace.deferred[order] > 0
    return {
        "tenant": ids[order][starts],
        "num_requests": num_requests,
        "p50_ms": percentile_of_parts(ttft_ms, starts, 50),
        "p99_ms": percentile_of_parts(ttft_ms, starts, 99),
        "hit_rate": 1 - num_loads / num_requests,
        "num_loads": num_loads,
        "num_deferred": np.add.reduceat(is_deferred.astype(int), starts),
    }


def _checked(run):
    if not isinstance(run, ServingRun):
        raise TypeError(
            f"run is {shown(run)}, but must be the ServingRun of serve()"
        )
    return run
