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

A log of requests, as a server or a gateway wrote it:

log          reads one: who asked, when, how many tokens, what was skipped
log_lines    its lines, plain or gzipped; log_rows as CSV or JSON
log_table    its columns and rows; log_names how loggers call their columns
log_columns  which column holds what; log_fields what stands there, checked
log_times    seconds from epoch numbers or ISO 8601
log_notes    what a reader should know; log_tally what was skipped
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
