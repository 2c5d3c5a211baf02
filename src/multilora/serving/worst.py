"""Where a run was worst: which tenants, in which minute, and why."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import integer
from multilora.matmul.operands import BASE
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import (
    CAUSES,
    causes_ns,
    late_by_cause,
    tenant_table,
)
from multilora.serving.parts import percentile_of_parts
from multilora.serving.run import ServingRun
from multilora.serving.workload import NS_PER_S

MINUTE_S = 60
CAUSE_WORDS = {
    "api": "the API server was held up by an adapter's first use",
    "deferral": "the adapter did not fit among max_loras",
    "kv": "no KV blocks were free",
    "seats": "no seat or token was left in the step",
    "load": "adapters were loaded",
    "congestion": "others' tokens filled the steps",
    "own": "the prompt alone takes that long",
}


class WorstTenant(NamedTuple):
    """A tenant's TTFT, and the cause of most of their late requests.

    tenant is an adapter id, -1 the base; cause is None where none is late.
    """

    tenant: int
    num_requests: int
    p50_ms: float
    p99_ms: float
    hit_rate: float
    num_late: int
    cause: str | None


class WorstMinute(NamedTuple):
    """The minute from start_s on, seconds after the first request.

    cause is that of most late requests; where none is late, what took most
    of all requests' TTFT. tenant is who sent most prompt tokens, tenant_share
    their share of prompt_tokens.
    """

    start_s: int
    num_requests: int
    num_late: int
    p99_ms: float
    cause: str
    prompt_tokens: int
    tenant: int
    tenant_share: float


def worst_tenants(
    run: ServingRun, slo_ms: float, num: int = 10
) -> list[WorstTenant]:
    """Return the num tenants with the highest p99 of TTFT, that one first.

    Raises ValueError for a slo_ms that is not above 0, or num below 1.
    """
    num = integer("num", num, minimum=1)
    late = late_by_cause(run, slo_ms)
    table = tenant_table(run)
    place = (run.workload.adapter_ids - BASE).astype(np.intp)
    size = run.workload.num_adapters + 1
    by_cause = np.array(
        [np.bincount(place[late[cause]], minlength=size) for cause in CAUSES]
    )
    order = np.argsort(-table["p99_ms"], kind="stable")[:num]
    found = []
    for row in order:
        tenant = int(table["tenant"][row])
        counts = by_cause[:, tenant - BASE]
        found.append(
            WorstTenant(
                tenant,
                int(table["num_requests"][row]),
                float(table["p50_ms"][row]),
                float(table["p99_ms"][row]),
                float(table["hit_rate"][row]),
                int(counts.sum()),
                CAUSES[int(counts.argmax())] if counts.any() else None,
            )
        )
    return found


def worst_minute(run: ServingRun, slo_ms: float) -> WorstMinute:
    """Return the minute with most late requests; of equal ones, by p99.

    Minutes count from the first request and hold what arrives in them.
    Raises ValueError for a slo_ms that is not above 0.
    """
    late = late_by_cause(run, slo_ms)
    workload = run.workload
    since_ns = workload.arrival_ns - workload.arrival_ns[0]
    minutes = since_ns // (MINUTE_S * NS_PER_S)
    starts = np.flatnonzero(np.diff(minutes, prepend=-1))
    ends = np.append(starts[1:], len(minutes))
    is_late = np.any(list(late.values()), axis=0)
    num_late = np.add.reduceat(is_late.astype(np.int64), starts)
    p99_ms = percentile_of_parts(run.ttft_ns / NS_PER_MS, starts, 99)
    worst = int(np.lexsort((-p99_ms, -num_late))[0])
    part = slice(int(starts[worst]), int(ends[worst]))
    if num_late[worst]:
        why = [int(late[cause][part].sum()) for cause in CAUSES]
    else:
        took = causes_ns(run)
        why = [int(took[cause][part].sum()) for cause in CAUSES]
    prompts = workload.prompt_tokens[part]
    place = (workload.adapter_ids[part] - BASE).astype(np.intp)
    sent = np.bincount(place, prompts)
    total = int(prompts.sum())
    return WorstMinute(
        int(minutes[starts[worst]]) * MINUTE_S,
        len(prompts),
        int(num_late[worst]),
        float(p99_ms[worst]),
        CAUSES[int(np.argmax(why))],
        total,
        int(sent.argmax()) + BASE,
        float(sent.max() / total),
    )
