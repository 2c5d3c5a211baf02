"""dLoRA's figure 11: how much more traffic placement lets a fleet take."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.evidence.fleet_claims import fleet_claim
from multilora.evidence.fleet_setups import (
    MAX_SLOTS,
    OUTPUT_TOKENS,
    play_rule,
    poisson_workload,
)
from multilora.fleet.homes import Homes
from multilora.fleet.played import FleetRun, check_run
from multilora.fleet.turns import in_turn
from multilora.serving.workload import NS_PER_S
from multilora.traffic.generators import zipf_popularity

MAX_RATE = 1024.0
NEAR = 1.05  # a rate is found to 5 %


class Rates(NamedTuple):
    """Requests a second at which the mean queueing passes the limit."""

    max_loras: int
    round_robin_per_s: float
    placed_per_s: float

    @property
    def ratio(self) -> float:
        """How many times the rate of round robin placement reaches."""
        return self.placed_per_s / self.round_robin_per_s


def dlora_rates(
    max_loras: int,
    output_tokens: float = OUTPUT_TOKENS,
    skew: float = 0.0,
    duration_s: float = 120.0,
) -> Rates:
    """Return the Rates of dLoRA's figure 11 on engines with these slots.

    32 adapters on 8 engines, each asked for alike or with a Zipf exponent
    of skew. Round robin has every adapter on every engine; placement gives
    each one home, four an engine, by turns.in_turn. Queueing is the mean
    time from a request's arrival to its first step. What the quotation
    leaves out is ours: prompts of 160 tokens in the mean, output_tokens,
    Poisson arrivals for duration_s, the step of fitted_cost. So absolute
    rates are this engine's; compare the ratio. dLoRA's third rate, with
    migration between GPUs, has no counterpart in vLLM.
    """
    slots = integer("max_loras", max_loras, 1, MAX_SLOTS)
    mean = finite_number("output_tokens", output_tokens, 2, 1024)
    exponent = finite_number("skew", skew, 0, 4)
    duration_s = finite_number("duration_s", duration_s, 10, 600)
    figures = fleet_claim("dlora-11")["figures"]
    num, engines = figures["num_adapters"], figures["num_engines"]
    shares = zipf_popularity(num, exponent)
    homes = in_turn(shares, [1] * num, engines, slots=num // engines)

    def passes(rate: float, rule: str, homes: Homes | None) -> bool:
        workload = poisson_workload(shares * rate, duration_s, mean)
        run = play_rule(workload, slots, engines, rule, homes)
        return queueing_s(run) > figures["limit_s"]

    return Rates(
        slots,
        _highest(lambda rate: passes(rate, "round_robin", None)),
        _highest(lambda rate: passes(rate, "placed-in-turn", homes)),
    )


def queueing_s(run: FleetRun) -> float:
    """Return the mean time from arrival to a request's first step, in s.

    For a fleet in which no engine dies. Raises TypeError for no FleetRun.
    """
    run = check_run(run)
    waits = [
        life.run.trace.admitted - run.workload.arrival_ns[life.requests]
        for life in run.lives
        if life.run is not None
    ]
    return float(np.concatenate(waits).mean()) / NS_PER_S


def _highest(passes: Callable[[float], bool]) -> float:
    """The highest rate that does not pass, to NEAR, doubled from 1 up."""
    low, high = 1.0, 2.0
    while high < MAX_RATE and not passes(high):
        low, high = high, 2 * high
    while high / low > NEAR:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if passes(middle) else (middle, high)
    return low
