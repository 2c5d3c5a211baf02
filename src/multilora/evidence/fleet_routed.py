"""Loads by rule in the set-ups of BLIS and GIE, and what is left to gain."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, finite_number, integer, items
from multilora.evidence.fleet_claims import fleet_claim
from multilora.evidence.fleet_setups import (
    MAX_SLOTS,
    OUTPUT_TOKENS,
    play_rule,
    poisson_workload,
)
from multilora.fleet.bound import least_loads
from multilora.fleet.homes import MAX_ENGINES
from multilora.fleet.played import FleetRun
from multilora.fleet.turns import in_turn
from multilora.matmul.operands import BASE
from multilora.routing.rules import RULES as KNOWN
from multilora.serving.workload import NS_PER_S, Workload, check_workload
from multilora.traffic.generators import zipf_popularity

RULES = (
    "least_running",
    "round_robin",
    "llm-d-default",
    "llm-d-lora-affinity-before-2625",
    "llm-d-lora-affinity",
    "llm-d-lora-load-state",
    "gie-0.3",
    "sticky_least_loaded",
    "placed-in-turn",
)


class Routed(NamedTuple):
    """What a rule made of a workload; fewer is against least_running.

    least_loads is what no routing can beat that lets nobody wait for a
    first token for longer than this rule did.
    """

    rule: str
    num_loads: int
    fewer: float
    least_loads: int
    p99_ms: float
    imbalance: float


def routed(
    workload: Workload,
    max_loras: int,
    num_engines: int,
    rules: Iterable[str] = RULES,
    max_lora_rank: int = 16,
) -> list[Routed]:
    """Return a Routed for each rule on one workload.

    Engines have the step of fitted_cost and every adapter in memory. A rule
    that needs a placement gets each tenant's one home by in_turn, with the
    requests as loads. Loads are copies into slots. Raises ValueError for a
    workload of the base alone, which loads nothing.
    """
    workload = check_workload(workload)
    if (workload.adapter_ids == BASE).all():
        raise ValueError(
            "workload asks for the base alone, so no rule loads an adapter"
        )
    engines = integer("num_engines", num_engines, 1, MAX_ENGINES)
    names = [choice("rules", n, KNOWN) for n in items("rules", rules, str)]
    loads = np.bincount(
        workload.adapter_ids[workload.adapter_ids != BASE],
        minlength=workload.num_adapters,
    )
    slots = -(-len(loads) // engines)
    homes = in_turn(loads, [1] * len(loads), engines, slots)
    runs = {
        rule: play_rule(
            workload,
            max_loras,
            engines,
            rule,
            homes if rule.startswith("placed") else None,
            max_lora_rank,
        )
        for rule in dict.fromkeys(["least_running", *names])
    }
    base = int(runs["least_running"].num_slot_loads.sum())
    return [_row(runs[rule], max_loras * engines, base) for rule in names]


def gie_table(
    rate_per_s: float, duration_s: float = 60.0, rules: Iterable[str] = RULES
) -> list[Routed]:
    """Return a Routed for each rule in GIE's regression set-up.

    10 engines with 3 slots, 15 adapters at 12, 6 and 2 % of rate_per_s
    requests a second. Lengths and the step are ours, as in dlora_rates, so
    this says which rule keeps adapters where they are, not what an H100
    does at that rate.
    """
    rate = finite_number("rate_per_s", rate_per_s, 1, 1000)
    duration_s = finite_number("duration_s", duration_s, 1, 3600)
    figures = fleet_claim("gie-regression")["figures"]
    shares = np.repeat(figures["percents"], figures["adapters_each"]) / 100
    return routed(
        poisson_workload(shares * rate, duration_s, OUTPUT_TOKENS),
        figures["max_loras"],
        figures["num_engines"],
        rules,
        figures["max_lora_rank"],
    )


def blis_table(
    max_loras: int,
    rate_per_s: float = 20.0,
    duration_s: float = 60.0,
    rules: Iterable[str] = RULES,
) -> list[Routed]:
    """Return a Routed for each rule under a Zipf popularity of exponent 1.

    32 adapters on 4 engines: that, the rate and the lengths are ours, as
    the claim names none. `fewer` is what BLIS claims to be 0.3 or more for
    an affinity scorer.
    """
    slots = integer("max_loras", max_loras, 1, MAX_SLOTS)
    rate = finite_number("rate_per_s", rate_per_s, 1, 1000)
    duration_s = finite_number("duration_s", duration_s, 1, 3600)
    rates = zipf_popularity(32, 1.0) * rate
    workload = poisson_workload(rates, duration_s, OUTPUT_TOKENS)
    return routed(workload, slots, 4, rules)


def _row(run: FleetRun, num_slots: int, base: int) -> Routed:
    num_loads = int(run.num_slot_loads.sum())
    workload = run.workload
    least = least_loads(
        workload.arrival_ns / NS_PER_S,
        workload.adapter_ids,
        num_slots,
        float(run.ttft_ns.max()) / NS_PER_S,
    )
    return Routed(
        run.rule,
        num_loads,
        1 - num_loads / base,
        least,
        run.percentile_ms(99),
        run.imbalance,
    )
