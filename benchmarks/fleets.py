"""Time a fleet of eight engines over a million requests. Needs numba."""

import time

from multilora import traffic
from multilora.fleet.play import serve_fleet
from multilora.serving.limits import engine_limits
from multilora.serving.workload import geometric_tokens, make_workload

NUM_REQUESTS, NUM_ENGINES, TENANTS = 10**6, 8, 100
# Nothing read, the router's own counts, names in flight every 50 ms.
RULES = ("round_robin", "least_running", "llm-d-lora-affinity")


def fleet_rows(num_requests=NUM_REQUESTS):
    """Return one dict a rule: CPU seconds for a million requests, one core.

    16 requests a second in all, the tenants by Zipf 1, KV counted: the
    engines are about as busy as they can be. Each rule is played once on
    2,000 requests before, so that numba has compiled.
    """
    workload = make_workload(
        traffic.bursts(num_requests, 16),
        traffic.zipf(num_requests, TENANTS),
        256,
        geometric_tokens(num_requests, 128),
        TENANTS,
    )
    return [_row(rule, workload) for rule in RULES]


def _row(rule, workload):
    limits = engine_limits(8, max_cpu_loras=TENANTS, num_gpu_blocks=4_000)

    def play(part):
        return serve_fleet(
            part, limits, num_engines=NUM_ENGINES, rule=rule, engine="numba"
        )

    few = [column[:2_000] for column in workload[:4]]
    play(workload._make([*few, TENANTS]))
    begun = time.process_time()
    fleet = play(workload)
    seconds = time.process_time() - begun
    assert fleet.is_done.all()
    busy = fleet.busy_ns.sum() / NUM_ENGINES / workload.arrival_ns[-1]
    return {
        "rule": rule,
        "num_requests": workload.num_requests,
        "seconds": round(seconds, 2),
        "busy": round(float(busy), 2),
    }
