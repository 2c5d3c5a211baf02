"""Time the serving simulator beside the same model written in SimPy.

Needs numba and SimPy.
"""

import numpy as np

from multilora import traffic
from multilora.evidence.timing import round_seconds
from multilora.serving.cost import published_cost
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import geometric_tokens, make_workload
from serving_simpy import Engine

NUM_REQUESTS, NUM_LARGE, REPEATS = 20_000, 10**6, 10
# What comes, and the engine: requests a second, tenants, burstiness (cv),
# slots, seats, mean output tokens.
KINDS = {
    "light": (20, 100, 1, 64, 64, 32),
    "bursty": (20, 100, 4, 32, 64, 32),
    "thrash": (25, 40, 1, 8, 64, 32),
    "busy": (40, 40, 1, 8, 256, 128),
}


def drawn(kind, num_requests):
    """Return (workload, limits) of one of KINDS, tenants by Zipf 1."""
    rate, tenants, cv, max_loras, seats, tokens = KINDS[kind]
    workload = make_workload(
        traffic.bursts(num_requests, rate, cv),
        traffic.zipf(num_requests, tenants),
        output_tokens=geometric_tokens(num_requests, tokens),
        num_adapters=tenants,
    )
    return workload, engine_limits(max_loras, seats, max_cpu_loras=tenants)


def in_simpy(workload, limits):
    """Return (admitted, first_token, finished) in ns, by SimPy."""
    order = np.random.default_rng(0).permutation(workload.num_adapters)
    return Engine(workload, limits, published_cost(), order).run()


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
