"""What engines of a live fleet did, and what the simulator says of it."""

import re

import numpy as np

from live_fleet import NUM_TENANTS, Sent, name_of, send
from multilora.serving.cost import NS_PER_MS, step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import make_workload

NUM_SEEDS = 5  # orders in which a step's adapters are walked
LONG, SHORT = 200, 8


class Watched:
    """One server: its loads and arrivals since the last look."""

    def __init__(self, server):
        self.server = server
        self.num_loads = self.num_arrivals = 0

    def fresh(self):
        """Return (slot loads, arrivals, tenants used before, last used last).

        All since the last call, but those used before.
        """
        loads, arrivals = self.server.loads, self.server.arrivals
        new_loads = loads[self.num_loads :]
        before, new = self.split(arrivals)
        self.num_loads, self.num_arrivals = len(loads), len(arrivals)
        used = [number_of(one) for one in reversed(before) if one.adapter]
        used = list(dict.fromkeys(used))[::-1]
        return [load for load in new_loads if load.kind == "slot"], new, used

    def split(self, arrivals):
        return arrivals[: self.num_arrivals], arrivals[self.num_arrivals :]


def number_of(arrival):
    """Return the number of an arrival's tenant."""
    return int(arrival.adapter.removeprefix("tenant-"))


def request_of(arrival, prefix):
    """Return the number that a request was sent with, None for others'."""
    found = re.search(rf"{re.escape(prefix)}(\d+)\.", arrival.request_id)
    return int(found[1]) if found else None


def cost_of(server, loads):
    """Return the StepCost of a server by a few requests, and its loads.

    One alone and eight at once tell a step and a request in it, a long
    prompt and a short one a prompt's token.
    """
    def probe(num, prompt_tokens, output_tokens, prefix):
        wanted = [Sent(0.0, 0, prompt_tokens, output_tokens)] * num
        return send(server.url, wanted, lambda name: {}, prefix)

    def step_ms(num):
        found = probe(num, SHORT, 32, f"steps{num}.")
        return 1e3 * np.median([(o.seconds - o.ttft_s) / 31 for o in found])

    def ttft_ms(prompt_tokens):
        found = [probe(1, prompt_tokens, 1, "p.")[0] for _ in range(5)]
        return 1e3 * np.median([one.ttft_s for one in found])

    ttft_ms(SHORT)  # the tenant is in its slot then
    alone, crowd = step_ms(1), step_ms(8)
    short, long = ttft_ms(SHORT), ttft_ms(LONG)
    seconds = {
        kind: float(np.median([x.seconds for x in loads if x.kind == kind]))
        for kind in ("slot", "disk")
    }
    seq_ms = max(0.0, (crowd - alone) / 7)
    return step_cost(
        max(alone - seq_ms, 0.01),
        seq_ms,
        max(0.0, (long - short) / (LONG - SHORT)),
        0,
        1e3 * seconds["slot"],
        1e3 * seconds["disk"],
        api_ms=max(0.0, short - alone),
    )


def simulated(arrivals, used, cost, max_loras, max_cpu_loras, sizes):
    """Serve an engine's own arrivals; return (slot loads, TTFT in ms).

    Loads are the mean of several orders of walking a step's adapters.
    """
    times = np.array([one.at_ns for one in arrivals])
    workload = make_workload(
        (times - times.min()) / 1e9,
        [number_of(one) for one in arrivals],
        [one.prompt_tokens for one in arrivals],
        [one.max_tokens for one in arrivals],
        num_adapters=NUM_TENANTS,
    )
    limits = engine_limits(max_loras, *sizes, max_cpu_loras)
    runs = [
        serve(workload, limits, cost, "plain", seed, used)
        for seed in range(NUM_SEEDS)
    ]
    loads = [run.trace.totals.num_slot_loads for run in runs]
    return float(np.mean(loads)), runs[0].ttft_ns / NS_PER_MS


__all__ = ["Watched", "cost_of", "name_of", "request_of", "simulated"]
