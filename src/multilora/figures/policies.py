"""Pictures of eviction: each policy's hit rate by slots, and the bound."""

from functools import cache

import numpy as np

from multilora import traffic as traces
from multilora.arguments import choice, integer
from multilora.cache.policies import POLICIES, policy_table
from multilora.figures import style
from multilora.units import percent

NUM_REQUESTS = 10_000
NUM_DRAWS = 5  # LFU depends on whom it happens to meet first
SLOTS = (1, 2, 4, 8, 16, 24, 32, 40)
# Traffic: its function of (num_requests, num_adapters, seed=…).
TRACES = {
    "sticky": traces.sticky,
    "sessions": lambda *args, seed: traces.sticky(
        *args, stay=0.98, num_sessions=8, seed=seed
    ),
    "80/20": traces.eighty_twenty,
    "zipf": traces.zipf,
    "drift": traces.drift,
    "cyclic": lambda *args, seed: traces.cyclic(*args),
}
# Policy: its name in the legend, and its line; a wide one lies below others.
LINES = {
    "belady": ("best possible", {"color": style.INK, "ls": (0, (4, 2))}),
    "lru": ("LRU", {"color": style.HIT, "lw": 5, "alpha": 0.5}),
    "vllm": ("vLLM", {"color": style.MISS, "marker": "s"}),
    "sieve": ("SIEVE", {"color": style.KV, "marker": "^"}),
    "lfu": ("LFU", {"color": style.SLOTS, "marker": "D"}),
    "fifo": ("FIFO", {"color": style.PALE, "marker": "v"}),
}


def draws(traffic, num_adapters, num_draws=NUM_DRAWS):
    """Return traces of NUM_REQUESTS ids each, of seeds 0, 1, ….

    traffic is one of TRACES: "sticky" is one session at a time, ten requests
    long, "sessions" eight at once, of fifty requests each. Raises ValueError
    for another one.
    """
    make = TRACES[choice("traffic", traffic, TRACES)]
    num_draws = integer("num_draws", num_draws, minimum=1)
    return [
        make(NUM_REQUESTS, num_adapters, seed=seed)
        for seed in range(num_draws)
    ]


def mean_rate(policy, traffic, num_adapters=40, num_slots=8):
    """Return the hits a request of a function (trace, num_slots) -> hits.

    It is the mean over draws(traffic, num_adapters).
    """
    hits = [policy(trace, num_slots) for trace in draws(traffic, num_adapters)]
    return float(np.mean(hits)) / NUM_REQUESTS


@cache
def policies_table(traffic, num_adapters):
    """Return {policy: hit rate at each of SLOTS}, the mean over draws."""
    tables = [
        policy_table(trace, SLOTS) for trace in draws(traffic, num_adapters)
    ]
    return {
        policy: np.mean([table[policy] for table in tables], axis=0).tolist()
        for policy in POLICIES
    }


def draw_policies(fig, traffic, tenants):
    """Draw the hit rate of every policy by slots, for one kind of traffic."""
    table = policies_table(traffic, tenants)
    (axes,) = style.panels(fig, {
        "title": "Hit rate",
        "xlabel": "slots (max_loras)", "ylabel": "hit rate",
        "xscale": "log", "xlim": (0.9, 44), "xticks": SLOTS,
        "xticklabels": SLOTS, "ylim": (-0.03, 1.03),
    })  # fmt: skip
    for policy, (label, line) in LINES.items():
        line = {"lw": 1.4, "ms": 4} | line
        axes.plot(SLOTS, table[policy], label=label, **line)
    style.legend_above(axes, ncols=6)
    at = SLOTS.index(8)
    rates = {policy: table[policy][at] for policy in LINES}
    text = ", ".join(f"{LINES[p][0]} {percent(rates[p])}" for p in LINES)
    return f"{traffic}, {tenants} tenants, 8 slots: {text}."
