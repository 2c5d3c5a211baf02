"""What the engines of a live fleet did, and what the simulator makes of it."""

from typing import NamedTuple

import numpy as np

from live_fleet import NUM_TENANTS
from multilora.serving.cost import NS_PER_MS, step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.nnls import nonnegative_least_squares
from multilora.serving.run import serve
from multilora.serving.workload import make_workload

NUM_SEEDS = 5  # orders in which a step's adapters are walked


class Phase(NamedTuple):
    """What an engine told of since the last look; used is oldest use first.

    loads, arrivals and steps are as Server gives them; used holds the
    tenants that it had served before.
    """

    loads: list
    arrivals: list
    steps: list
    used: list[int]

    @property
    def num_slot_loads(self):
        return sum(load.kind == "slot" for load in self.loads)

    @property
    def tenants(self):
        return [number_of(one) for one in self.arrivals]


class Watched:
    """One server of a fleet, looked at again and again."""

    def __init__(self, server):
        self.server = server
        self._seen = (0, 0, 0)

    def fresh(self):
        """Return the Phase since the last call."""
        server = self.server
        told = server.loads, server.arrivals, server.steps
        before = told[1][: self._seen[1]]
        new = [
            rows[seen:] for rows, seen in zip(told, self._seen, strict=True)
        ]
        self._seen = tuple(map(len, told))
        used = [number_of(one) for one in reversed(before) if one.adapter]
        return Phase(*new, list(dict.fromkeys(used))[::-1])


def number_of(arrival):
    """Return the number of an arrival's tenant."""
    return int(arrival.adapter.removeprefix("tenant-"))


def taken(outcomes, arrivals):
    """Return {number of an outcome: its arrival} of what an engine answered.

    The id of an answer is the start of the request's in the engine.
    """
    by_id = {one.request_id.rsplit("-", 2)[0]: one for one in arrivals}
    return {
        one.number: by_id[one.answer_id]
        for one in outcomes
        if one.answer_id in by_id
    }


def cost_of(phase, api_ms):
    """Return the StepCost of a phase's own steps and loads."""
    rows = [(1, one.num_running, one.num_prompt_tokens) for one in phase.steps]
    compute_ms = [1e3 * (x.seconds - x.load_seconds) for x in phase.steps]
    step_ms, seq_ms, token_ms = nonnegative_least_squares(
        np.array(rows, float), np.array(compute_ms)
    )
    slot_ms, disk_ms = (
        1e3 * np.mean([x.seconds for x in phase.loads if x.kind == kind])
        for kind in ("slot", "disk")
    )
    return step_cost(
        max(step_ms, 0.001), seq_ms, token_ms, 0, slot_ms, disk_ms,
        api_ms=api_ms,
    )  # fmt: skip


def simulated(workload, used, cost, max_loras, max_cpu_loras, sizes):
    """Serve one engine's own arrivals; return (slot loads, TTFT in ms).

    Loads are the mean of several orders of walking a step's adapters.
    """
    limits = engine_limits(max_loras, *sizes, max_cpu_loras)
    runs = [
        serve(workload, limits, cost, "plain", seed, used)
        for seed in range(NUM_SEEDS)
    ]
    loads = [run.trace.totals.num_slot_loads for run in runs]
    return float(np.mean(loads)), runs[0].ttft_ns / NS_PER_MS


def workload_of(row, requests, place):
    """Return the Workload of one engine of a row of data/fleet_run.json."""
    own = np.array(row["engine"]) == place
    columns = {name: np.array(rows)[own] for name, rows in requests.items()}
    return make_workload(
        np.array(row["arrival_ns"])[own] / 1e9,
        columns["tenant"],
        columns["prompt_tokens"],
        columns["output_tokens"],
        num_adapters=NUM_TENANTS,
    )
