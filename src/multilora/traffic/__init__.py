"""Who asks, and when.

generators  adapter ids, request by request: Zipf, sessions, drift, bursts
arrivals    the same with times: each tenant at a rate of their own
"""

from multilora.traffic.generators import (
    bursts,
    cyclic,
    drift,
    eighty_twenty,
    eighty_twenty_popularity,
    poisson,
    sticky,
    uniform,
    uniform_popularity,
    zipf,
    zipf_popularity,
)

__all__ = [
    "bursts",
    "cyclic",
    "drift",
    "eighty_twenty",
    "eighty_twenty_popularity",
    "poisson",
    "sticky",
    "uniform",
    "uniform_popularity",
    "zipf",
    "zipf_popularity",
]
