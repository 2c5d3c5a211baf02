"""Time the serving simulator beside the same model written in SimPy.

Needs numba and SimPy.
"""

import time

import numpy as np

from multilora import traffic
from multilora.evidence.timing import round_seconds
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import geometric_tokens, make_workload
from serving_simpy import Engine

NUM_REQUESTS, NUM_LARGE, REPEATS = 20_000, 10**6, 10
# What comes, and the engine: requests a second, tenants, burstiness (cv),
# slots, seats, mean output tokens, KV blocks (None: never full).
KINDS = {
    "light": (20, 100, 1, 64, 64, 32, None),
    "bursty": (20, 100, 4, 32, 64, 32, None),
    "thrash": (25, 40, 1, 8, 64, 32, None),
    "busy": (40, 40, 1, 8, 256, 128, None),
    "KV counted": (20, 100, 4, 32, 64, 32, 4_000),
    "KV full": (20, 100, 4, 32, 64, 32, 350),
}
SETTINGS, DAY_REQUESTS, DAY_S, DAY_TENANTS = 200, 100_000, 86_400, 200


def drawn(kind, num_requests):
    """Return (workload, limits) of one of KINDS, tenants by Zipf 1."""
    rate, tenants, cv, max_loras, seats, tokens, blocks = KINDS[kind]
    workload = make_workload(
        traffic.bursts(num_requests, rate, cv),
        traffic.zipf(num_requests, tenants),
        output_tokens=geometric_tokens(num_requests, tokens),
        num_adapters=tenants,
    )
    return workload, engine_limits(
        max_loras, seats, max_cpu_loras=tenants, num_gpu_blocks=blocks
    )


def in_simpy(workload, limits):
    """Return (admitted, first_token, finished) in ns, by SimPy."""
    order = np.random.default_rng(0).permutation(workload.num_adapters)
    cost = fitted_cost(limits.max_loras)
    return Engine(workload, limits, cost, order).run()


def require_equal(workload, limits):
    """Raise AssertionError unless all three give the same nanoseconds."""
    theirs = in_simpy(workload, limits)
    for engine in ("plain", "numba"):
        trace = serve(workload, limits, engine=engine).trace
        ours = trace.admitted, trace.first_token, trace.finished
        for name, mine, its in zip(
            ("admitted", "first_token", "finished"), ours, theirs, strict=True
        ):
            assert np.array_equal(mine, its), (engine, name)


def simulator_rows(num_requests=NUM_REQUESTS, num_rounds=5):
    """Return one dict a kind: SimPy's time over that of each of our engines.

    "numba, million/s" is millions of requests a second of CPU time, of
    NUM_LARGE requests. Raises AssertionError if any two engines differ.
    """
    return [_row(kind, num_requests, num_rounds) for kind in KINDS]


def _row(kind, num_requests, num_rounds):
    workload, limits = drawn(kind, num_requests)
    large, _ = drawn(kind, NUM_LARGE)
    require_equal(workload, limits)

    def numba():
        for _ in range(REPEATS):
            serve(workload, limits, engine="numba")

    seconds = round_seconds(
        {
            "SimPy": lambda: in_simpy(workload, limits),
            "plain": lambda: serve(workload, limits, engine="plain"),
            "numba": numba,
            "large": lambda: serve(large, limits, engine="numba"),
        },
        num_rounds,
    )
    seconds["numba"] /= REPEATS
    row = {"kind": kind, "num_requests": num_requests}
    row |= {"num_rounds": num_rounds}
    for ours in ("numba", "plain"):
        ratio = np.median(seconds["SimPy"] / seconds[ours])
        row[ours] = round(float(ratio), 2)
    rate = NUM_LARGE / np.median(seconds["large"]) / 1e6
    return row | {"numba, million/s": round(float(rate), 2)}


def sweep_row():
    """Return how long SETTINGS of slots and seats take over one day, in s.

    One core, KV counted, a day of DAY_REQUESTS requests; CPU time.
    """
    rate = DAY_REQUESTS / DAY_S
    workload = make_workload(
        traffic.bursts(DAY_REQUESTS, rate),
        traffic.zipf(DAY_REQUESTS, DAY_TENANTS),
        256,
        geometric_tokens(DAY_REQUESTS, 128),
        DAY_TENANTS,
    )
    settings = [
        engine_limits(
            slots, seats, max_cpu_loras=DAY_TENANTS, num_gpu_blocks=4_000
        )
        for slots in range(4, 204, 4)
        for seats in (16, 64, 128, 256)
    ]
    assert len(settings) == SETTINGS
    serve(workload, settings[0], engine="numba")  # compiles
    begun = time.process_time()
    for limits in settings:
        serve(workload, limits, engine="numba")
    seconds = round(time.process_time() - begun, 2)
    return {
        "num_settings": SETTINGS,
        "num_requests": DAY_REQUESTS,
        "seconds": seconds,
    }
