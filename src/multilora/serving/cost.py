"""What a step and a load take, in whole nanoseconds.

Whole numbers add up to the same sum in any order, so that two engines can
be compared to the last digit.
"""

from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer, shown
from multilora.published import published
from multilora.serving.limits import Limits
from multilora.serving.workload import Workload

NS_PER_MS = 10**6
PPM = 10**6
MAX_NS = 2**63
MAX_MS = 60_000  # a minute; beyond it a slip of units is likelier


class StepCost(NamedTuple):
    """Costs in ns; adapter_ppm is millionths of the step per adapter."""

    step_ns: int
    seq_ns: int
    prompt_token_ns: int
    adapter_ppm: int
    slot_load_ns: int
    disk_load_ns: int

    def compute_ns(
        self,
        num_prompt_tokens: int | np.ndarray,
        num_running: int | np.ndarray,
        num_active: int | np.ndarray,
    ) -> int | np.ndarray:
        """Return the time of a step without loads; arrays are fine too.

        (step + seqs + prompt tokens) × (1 + share × distinct adapters), the
        form of the published fits.
        """
        plain = (
            self.step_ns
            + self.seq_ns * num_running
            + self.prompt_token_ns * num_prompt_tokens
        )
        return plain * (PPM + self.adapter_ppm * num_active) // PPM

    def load_ns(self, num_slot_loads: int, num_disk_loads: int) -> int:
        """Return how long loads stop the engine, one after the other."""
        return (
            self.slot_load_ns * num_slot_loads
            + self.disk_load_ns * num_disk_loads
        )

    def alone_ns(
        self,
        prompt_tokens: np.ndarray,
        is_adapter: np.ndarray,
        token_budget: int,
    ) -> np.ndarray:
        """Return the compute time of a prefill alone on a warm engine.

        prompt_tokens and is_adapter (1 or 0) are arrays of one shape.
        """
        num_whole, rest = np.divmod(prompt_tokens, token_budget)
        whole_ns = self.compute_ns(token_budget, 1, is_adapter)
        rest_ns = self.compute_ns(rest, 1, is_adapter)
        return num_whole * whole_ns + np.where(rest > 0, rest_ns, 0)


def step_cost(
    step_ms: float,
    seq_ms: float,
    prompt_token_ms: float,
    adapter_share: float,
    slot_load_ms: float,
    disk_load_ms: float,
) -> StepCost:
    """Return the StepCost of times in ms; adapter_share is a fraction.

    slot_load_ms is the copy from the CPU tier into a slot, disk_load_ms what
    a read of the disk adds to it. Raises ValueError for a negative time, a
    step of no time, or times above a minute.
    """
    return StepCost(
        integer("step_ms in ns", _ns("step_ms", step_ms), minimum=1),
        _ns("seq_ms", seq_ms),
        _ns("prompt_token_ms", prompt_token_ms),
        round(PPM * finite_number("adapter_share", adapter_share, 0, 1)),
        _ns("slot_load_ms", slot_load_ms),
        _ns("disk_load_ms", disk_load_ms),
    )


def published_cost(**changes: float) -> StepCost:
    """Return the StepCost of published times (data/step_costs.json).

    changes replaces some of them, by the names of step_cost's arguments.
    """
    costs = published("step_costs")["costs"]
    return step_cost(
        **{name: c["value"] for name, c in costs.items()} | changes
    )


def check_cost(cost: object) -> StepCost:
    """Return a StepCost that step_cost could have made, or raise its error."""
    if not isinstance(cost, StepCost):
        raise TypeError(f"cost is {shown(cost)}, but must be a StepCost")
    for name, value in cost._asdict().items():
        most = PPM if name == "adapter_ppm" else MAX_MS * NS_PER_MS
        integer(f"{name} of cost", value, int(name == "step_ns"), most)
    return cost


def require_countable(
    cost: StepCost, workload: Workload, limits: Limits
) -> None:
    """Raise ValueError if one step, or one reply, may pass 2**63 ns.

    Bounds every product that the engines make. What adds up over a run is
    checked while it runs: see require_counted.
    """
    most = min(limits.max_loras, limits.max_num_seqs, workload.num_adapters)
    plain_ns = (
        cost.step_ns
        + cost.seq_ns * limits.max_num_seqs
        + cost.prompt_token_ns * limits.max_num_batched_tokens
    )
    scaled = plain_ns * (PPM + cost.adapter_ppm * most)
    step_ns = scaled // PPM + most * (cost.slot_load_ns + cost.disk_load_ns)
    reply_ns = step_ns * int(workload.output_tokens.max())
    seats_ns = reply_ns * min(limits.max_num_seqs, workload.num_requests)
    if max(scaled, seats_ns) >= MAX_NS:
        raise ValueError(
            f"cost makes a step of up to {step_ns / 1e9:.3g} s and a longest "
            "reply of that many times its tokens; times are whole "
            "nanoseconds and must stay below 2**63 of them"
        )


def require_counted(ns: int) -> None:
    """Raise ValueError if a run's time, summed over its seats, is too long."""
    if not 0 <= ns < MAX_NS:
        raise ValueError(
            "workload takes longer than 2**63 ns, summed over the seats: "
            "serve fewer requests at once, or lower the cost"
        )


def _ns(name, value_ms):
    return round(NS_PER_MS * finite_number(name, value_ms, 0, MAX_MS))
