"""Who asks, and when.

generators  adapter ids, request by request: Zipf, sessions, drift, bursts
arrivals    the same with times: each tenant at a rate of their own
sessions    users in sessions, favourites that change: as a public trace
windows     tenants whose rate and burstiness change every ten minutes
clients     such windows, as steep and bursty as a public day
lengths     tokens of prompts and outputs, with a long tail
locality    what a trace is like: who repeats, how steep, what stays
public      files of public traces; columns: how such a file is read
settings    numbers in a NamedTuple, checked
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
