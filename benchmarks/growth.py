"""How cost grows with requests, adapters and slots, as fitted exponents.

Needs numba.
"""

from functools import partial

import numpy as np

from curves import curve
from multilora import traffic
from multilora.cache.policies import policy_hits
from multilora.evidence.timing import round_seconds
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import geometric_tokens, make_workload

REQUESTS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
ADAPTERS = (10, 30, 100, 300, 1000, 3000, 10_000)
SLOTS = (1, 2, 4, 8, 16, 32, 64, 128)


def growth_rows(num_rounds=5, scale=1.0):
    """Return one dict a series: the time at each point over the first's.

    "what" is timed "over" requests, adapters or slots, at the "points";
    "exponent" is the slope of log time over log points: 1 is proportional.
    scale shrinks every number of requests, for a test.
    """
    return [
        _row(what, over, points, partial(make, scale=scale), name, num_rounds)
        for what, over, points, make, name in SERIES
    ]


def exponent(points, ratios):
    """Return b of ratios = a × points**b, by least squares of logarithms."""
    return float(np.polyfit(np.log(points), np.log(ratios), 1)[0])


def _row(what, over, points, make, name, num_rounds):
    functions = {point: make(**{name: point}) for point in points}
    seconds = round_seconds(functions, num_rounds)
    ratios = [
        float(np.median(seconds[point] / seconds[points[0]]))
        for point in points
    ]
    row = {"what": what, "over": over, "points": points}
    row |= {"ratios": [round(ratio, 3) for ratio in ratios]}
    return row | {"exponent": round(exponent(points, ratios), 3)}


def _curve(engine, scale, num_requests=100_000, num_adapters=1000):
    trace = traffic.zipf(max(1000, round(scale * num_requests)), num_adapters)
    return lambda: curve(trace, num_adapters, engine)


def _served(
    engine, scale, num_requests=100_000, num_adapters=100, max_loras=16
):
    num = max(500, round(scale * num_requests))
    workload = make_workload(
        traffic.bursts(num, 20),
        traffic.zipf(num, num_adapters),
        output_tokens=geometric_tokens(num, 32),
        num_adapters=num_adapters,
    )
    limits = engine_limits(max_loras, max_cpu_loras=10_000)
    return lambda: serve(workload, limits, engine=engine)


def _policy(name, scale, num_slots):
    trace = traffic.zipf(max(1000, round(scale * 30_000)), 1000)
    return lambda: policy_hits(trace, num_slots, name)


# What is timed, over what, at which points; made by whom, of which argument.
SERIES = (
    ("whole curve, numpy", "requests", REQUESTS,
     partial(_curve, "plain"), "num_requests"),
    ("whole curve, numba", "requests", REQUESTS,
     partial(_curve, "numba"), "num_requests"),
    ("whole curve, numpy", "adapters", ADAPTERS,
     partial(_curve, "plain"), "num_adapters"),
    ("whole curve, numba", "adapters", ADAPTERS,
     partial(_curve, "numba"), "num_adapters"),
    ("one slot count, LRU", "slots", SLOTS,
     partial(_policy, "lru"), "num_slots"),
    ("one slot count, Belady", "slots", SLOTS,
     partial(_policy, "belady"), "num_slots"),
    ("simulator, Python", "requests", REQUESTS[:3],
     partial(_served, "plain"), "num_requests"),
    ("simulator, numba", "requests", REQUESTS,
     partial(_served, "numba"), "num_requests"),
    ("simulator, numba", "adapters", ADAPTERS[:-1],
     partial(_served, "numba"), "num_adapters"),
    ("simulator, numba", "slots", SLOTS,
     partial(_served, "numba"), "max_loras"),
)  # fmt: skip
