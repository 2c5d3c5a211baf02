"""Serve a workload on a fleet: k engines behind a router."""

from collections.abc import Iterable, Sequence

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.cache.fast import use_numba
from multilora.fleet.asked import (
    costs_of,
    holders_of,
    limits_of,
    rule_of,
)
from multilora.fleet.course import Course
from multilora.fleet.desk import Desk
from multilora.fleet.events import Event, check_events
from multilora.fleet.homes import check_engines
from multilora.fleet.played import FleetRun, life_of
from multilora.routing.given import Rule
from multilora.routing.rules import MAX_SCRAPE_MS
from multilora.serving.cost import NS_PER_MS, StepCost
from multilora.serving.limits import Limits, require_fitting
from multilora.serving.run import WORTH_REQUESTS
from multilora.serving.workload import Workload, check_workload

MAX_RETRY_MS = 3.6e6
RETRY_MS = 50.0


def serve_fleet(
    workload: Workload,
    limits: Limits | Sequence[Limits],
    cost: StepCost | None = None,
    *,
    num_engines: int,
    rule: str | Rule = "round_robin",
    homes: Sequence[Iterable[int]] | None = None,
    events: Iterable[Event] = (),
    scrape_ms: float | None = None,
    retry_ms: float = RETRY_MS,
    engine: str = "auto",
    seed: int = 0,
) -> FleetRun:
    """Return the FleetRun of a workload on num_engines engines.

    limits is one Limits for all or one an engine, cost as in serve. rule is
    a name of routing.rules or a Rule. homes lists, for each adapter, the
    engines that hold it; None is all on all: who is sent elsewhere gets a
    404, as from vLLM. The router sees what engines showed at its last
    scrape, every scrape_ms (0 is always, None as the rule's source does).
    A request whose engine is dead, or dies before the first token, is sent
    again after retry_ms, at most 5 times in all, vllm-router's default; one
    that had its first token is lost. Engine k is serve's with the seed + k,
    and its run equal to serve's on what was sent to it. Raises ValueError
    for a rule, an engine or a tenant that is not there, and as serve does.
    """
    workload = check_workload(workload)
    num = check_engines(num_engines)
    each = limits_of(limits, num)
    for one in set(each):
        require_fitting(one, workload)
    rule = rule_of(rule)
    scrape = rule.scrape_ms if scrape_ms is None else scrape_ms
    scrape = finite_number("scrape_ms", scrape, 0, MAX_SCRAPE_MS)
    retry = finite_number("retry_ms", retry_ms, 0, MAX_RETRY_MS)
    fast = use_numba(engine, workload.num_requests, WORTH_REQUESTS)
    happenings = check_events(events, num, workload.num_adapters)
    desk = Desk(
        workload,
        costs_of(cost, each),
        rule,
        each,
        holders_of(homes, workload.num_adapters, num, happenings),
        round(scrape * NS_PER_MS),
        "numba" if fast else "plain",
        integer("seed", seed, minimum=0),
    )
    course = Course(desk, happenings, round(retry * NS_PER_MS))
    course.run()
    return _fleet_run(course)


def _fleet_run(course: Course) -> FleetRun:
    desk, arrival = course.desk, course.desk.workload.arrival_ns
    ttft, latency = (np.full(len(arrival), -1) for _ in range(2))
    lives = tuple(life_of(*life) for life in desk.lives)
    for life in lives:
        run, is_done = life.run, life.is_done
        if run is not None:
            rows = life.requests[is_done]
            late = run.workload.arrival_ns[is_done] - arrival[rows]
            ttft[rows] = run.ttft_ns[is_done] + late
            seen = run.front.seen_ns(run.trace.finished)[is_done]
            latency[rows] = seen + run.cost.api_ns - arrival[rows]
    return FleetRun(
        desk.workload,
        desk.rule.name,
        len(desk.members),
        lives,
        np.array(course.engine_of),
        np.array(course.num_tries),
        np.array(course.outcome),
        ttft,
        latency,
    )
