"""What a step and a load take, in whole nanoseconds.

Whole numbers add up to the same sum in any order, so that two engines can
be compared to the last digit.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, finite_number, integer, shown
from multilora.published import published
from multilora.serving.limits import Limits
from multilora.serving.workload import Workload

NS_PER_MS = 10**6
PPM = 10**6
MAX_NS = 2**63
NEVER = 2**31  # a knee that no count reaches
BENDS = ("seq", "prompt_token", "adapter")
MAX_MS = 60_000  # a minute; beyond it a slip of units is likelier


class StepCost(NamedTuple):
    """Costs in ns; adapter_ppm is millionths of the step per adapter.

    The step grows by seq_ns for each request in it, prompt_token_ns for each
    token of a prompt and adapter_ns for each distinct adapter; beyond the
    count of a knee, by the far one instead. lora_ns is what the first
    adapter adds. Beside the engine the API server adds api_ns to each first
    token, and an adapter's first request occupies it for first_use_ns.
    """

    step_ns: int
    seq_ns: int
    prompt_token_ns: int
    adapter_ppm: int
    slot_load_ns: int
    disk_load_ns: int
    lora_ns: int = 0
    adapter_ns: int = 0
    api_ns: int = 0
    first_use_ns: int = 0
    seq_knee: int = NEVER
    far_seq_ns: int = 0
    prompt_token_knee: int = NEVER
    far_prompt_token_ns: int = 0
    adapter_knee: int = NEVER
    far_adapter_ns: int = 0

    def compute_ns(
        self,
        num_prompt_tokens: int | np.ndarray,
        num_running: int | np.ndarray,
        num_active: int | np.ndarray,
    ) -> int | np.ndarray:
        """Return the time of a step without loads; arrays are fine too.

        (step + requests + prompt tokens) × (1 + share × adapters), the form
        of the published fits, + what LoRA and each adapter add.
        """
        plain = (
            self.step_ns
            + _bent(num_running, self.seq_ns, self.seq_knee, self.far_seq_ns)
            + _bent(
                num_prompt_tokens,
                self.prompt_token_ns,
                self.prompt_token_knee,
                self.far_prompt_token_ns,
            )
        )
        return (
            plain * (PPM + self.adapter_ppm * num_active) // PPM
            + _bent(
                num_active,
                self.adapter_ns,
                self.adapter_knee,
                self.far_adapter_ns,
            )
            + self.lora_ns * (num_active > 0)
        )

    def scaled(self, factor: float) -> "StepCost":
        """Return the cost with every time multiplied by factor.

        What is a count or a share stays. Raises ValueError for a factor
        that is not above 0, or times beyond a minute.
        """
        factor = finite_number("factor", factor, above=0, maximum=1e6)
        times = {
            name: round(value * factor)
            for name, value in self._asdict().items()
            if name.endswith("_ns")
        }
        times["step_ns"] = max(times["step_ns"], 1)
        return check_cost(self._replace(**times))

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
    *,
    lora_ms: float = 0,
    adapter_ms: float = 0,
    api_ms: float = 0,
    first_use_ms: float = 0,
    bends: Mapping[str, tuple[int, float]] | None = None,
) -> StepCost:
    """Return the StepCost of times in ms; adapter_share is a fraction.

    slot_load_ms is the copy from the CPU tier into a slot, disk_load_ms what
    a read of the disk adds to it, lora_ms what a step's first adapter adds,
    adapter_ms each adapter, api_ms the API server to each first token;
    first_use_ms is how long an adapter's first request occupies the API
    server. bends maps "seq", "prompt_token" or "adapter" to (knee, far_ms):
    of those beyond knee each adds far_ms instead. Raises ValueError for a
    negative time, a step of no time, times above a minute, or an unknown
    bend.
    """
    knees = {}
    for name, bend in dict(bends or {}).items():
        name = choice("bends", name, BENDS)
        knee, far_ms = _pair(f"bends[{name!r}]", bend)
        knees[f"{name}_knee"] = integer(f"knee of {name}", knee, 0, NEVER)
        knees[f"far_{name}_ns"] = _ns(f"far_ms of {name}", far_ms)
    return StepCost(
        integer("step_ms in ns", _ns("step_ms", step_ms), minimum=1),
        _ns("seq_ms", seq_ms),
        _ns("prompt_token_ms", prompt_token_ms),
        round(PPM * finite_number("adapter_share", adapter_share, 0, 1)),
        _ns("slot_load_ms", slot_load_ms),
        _ns("disk_load_ms", disk_load_ms),
        _ns("lora_ms", lora_ms),
        _ns("adapter_ms", adapter_ms),
        _ns("api_ms", api_ms),
        _ns("first_use_ms", first_use_ms),
        **knees,
    )


def published_cost(**changes: float) -> StepCost:
    """Return the StepCost of published times (data/step_costs.json).

    One model, no rank, no slots: what the book used before hours of real
    engines were fitted (terms.fitted_cost). changes replaces some of them,
    by the names of step_cost's arguments.
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
        most = MAX_MS * NS_PER_MS
        if name == "adapter_ppm":
            most = PPM
        elif name.endswith("_knee"):
            most = NEVER
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
    counts = limits.max_num_batched_tokens, limits.max_num_seqs
    scaled = cost.compute_ns(*counts, 0) * (PPM + cost.adapter_ppm * most)
    step_ns = cost.compute_ns(*counts, most) + most * (
        cost.slot_load_ns + cost.disk_load_ns
    )
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


def _pair(name, bend):
    if not isinstance(bend, (tuple, list)) or len(bend) != 2:
        raise TypeError(f"{name} is {shown(bend)}, but must be (knee, far_ms)")
    return bend


def _bent(num, slope_ns, knee, far_ns):
    if knee == NEVER:
        return slope_ns * num
    beyond = (num - knee) * (num > knee)
    return slope_ns * (num - beyond) + far_ns * beyond


def _ns(name, value_ms):
    return round(NS_PER_MS * finite_number(name, value_ms, 0, MAX_MS))
