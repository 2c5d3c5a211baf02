"""Residency: what a scrape tells of adapters, beside what the slots hold."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer, items
from multilora.fleet.homes import MAX_TENANTS
from multilora.fleet.members import Member
from multilora.fleet.play import serve_fleet
from multilora.fleet.runs import SLOTS
from multilora.fleet.scenes import traffic_of, zipf_rates
from multilora.fleet.watched import columns_of
from multilora.routing.given import RESIDENTS, Ask, Choose, Setup
from multilora.routing.rules import rule
from multilora.serving.limits import engine_limits
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import make_workload

ENGINES = 4


class Glimpse(NamedTuple):
    """Names that a scrape shows, and the adapters in slots, at a second."""

    at_s: float
    named: list[int]
    in_slots: list[int]


def one_request(at_s: Iterable[float]) -> list[Glimpse]:
    """Return Glimpses of an engine that gets one request, of adapter 3, at 0.

    The request has 256 tokens of prompt and 64 of reply.
    """
    workload = make_workload([0.0], [3], 256, 64, 8)
    limits = engine_limits(SLOTS)
    engine = Member(
        0, workload, limits, fitted_cost(SLOTS), 0, "plain",
        columns_of(workload, limits),
    )  # fmt: skip
    engine.send(0, 0)
    found = []
    asked = items("at_s", at_s, object)
    for second in sorted(finite_number("at_s", s, 0, 3600) for s in asked):
        engine.run_until(round(second * 1e9))
        seen = engine.seen(True)
        names = sorted(seen.running)
        found.append(Glimpse(second, names, sorted(seen.in_slots)))
    return found


class Blindness(NamedTuple):
    """Requests, and those that found the adapter in a slot or in a name."""

    num_requests: int
    num_resident: int
    num_named: int
    num_loads: int


def blindness(rate: float, tenants: int = 40) -> Blindness:
    """Return how often llm-d's lora-affinity scorer saw a resident adapter.

    Tenants by Zipf's law at `rate` requests a second on 4 engines of 8
    slots. num_resident counts requests whose adapter was in a slot of some
    engine at the last scrape, num_named those where a scrape said so.
    """
    tenants = integer("tenants", tenants, 1, MAX_TENANTS)
    counts = np.zeros(3, dtype=int)
    base = rule("llm-d-lora-affinity")

    def make(setup: Setup) -> Choose:
        return _counted(base.make(setup), counts)

    run = serve_fleet(
        traffic_of(zipf_rates(tenants, rate, 1.0)),
        engine_limits(SLOTS, max_cpu_loras=max(tenants, SLOTS)),
        num_engines=ENGINES,
        rule=base._replace(make=make, reads=RESIDENTS),
    )
    num, resident, named = counts.tolist()
    return Blindness(num, resident, named, int(run.num_slot_loads.sum()))


def _counted(choose: Choose, counts: np.ndarray) -> Callable[[Ask], int]:
    def counting(ask: Ask) -> int:
        seen = [ask.seen[engine] for engine in ask.engines]
        counts[0] += 1
        counts[1] += any(ask.adapter_id in one.in_slots for one in seen)
        counts[2] += any(ask.adapter_id in one.running for one in seen)
        return choose(ask)

    return counting
