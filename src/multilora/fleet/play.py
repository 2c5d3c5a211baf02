"""Serve a workload on a fleet: k engines behind a router."""

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.cache.fast import use_numba
from multilora.fleet.asked import homes_of, limits_of
from multilora.fleet.desk import Desk
from multilora.fleet.events import (
    MAX_ENGINES,
    Dies,
    Event,
    Joins,
    check_events,
    to_ns,
)
from multilora.fleet.played import (
    DONE,
    LOST,
    NOT_FOUND,
    FleetRun,
    life_of,
)
from multilora.routing.given import Rule
from multilora.routing.rules import rule as rule_named
from multilora.serving.cost import MAX_NS, StepCost, check_cost
from multilora.serving.limits import Limits, require_fitting
from multilora.serving.run import WORTH_REQUESTS, ServingRun
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import Workload, check_workload

MAX_TRIES = 5
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
    num = integer("num_engines", num_engines, 1, MAX_ENGINES)
    each = limits_of(limits, num)
    for one in each:
        require_fitting(one, workload)
    if cost is None:
        cost = fitted_cost(each[0].max_loras)
    rule = rule if isinstance(rule, Rule) else rule_named(rule)
    scrape = rule.scrape_ms if scrape_ms is None else scrape_ms
    scrape = finite_number("scrape_ms", scrape, 0, 3.6e6)
    retry = finite_number("retry_ms", retry_ms, 0, 3.6e6)
    fast = use_numba(engine, workload.num_requests, WORTH_REQUESTS)
    happenings = check_events(events, num, workload.num_adapters)
    desk = Desk(
        workload,
        check_cost(cost),
        rule,
        each,
        homes_of(homes, workload.num_adapters, num, happenings),
        round(scrape * 1e6),
        "numba" if fast else "plain",
        integer("seed", seed, minimum=0),
    )
    return _Play(desk, happenings, round(retry * 1e6)).run()


class _Play:
    def __init__(self, desk: Desk, events: list[Event], retry_ns: int):
        self.desk, self.retry_ns = desk, retry_ns
        num = desk.workload.num_requests
        self.engine_of = [-1] * num
        self.num_tries = [0] * num
        self.outcome = [DONE] * num
        self.runs: dict[
            int, ServingRun | None
        ] = {}  # of lives that have ended
        self.order = 0  # of what happens at the same time
        self.heap: list[tuple] = []
        for event in events:
            self._expect(event)

    def run(self) -> FleetRun:
        arrivals = self.desk.workload.arrival_ns.tolist()
        for request, now in enumerate(arrivals):
            if self.heap:
                self._happen_until(now)
            self._send(request, now)
        self._happen_until(MAX_NS)
        return self._fleet_run()

    def _expect(self, event):
        at = to_ns(event.at_s)
        if isinstance(event, Joins):
            self._at(at, self._join, ())
        elif isinstance(event, Dies):
            self._at(at, self._die, (event.engine,))
            noticed = at + to_ns(event.noticed_s)
            self._at(noticed, self._notice, (event.engine,))
            if event.back_s is not None:
                self._at(to_ns(event.back_s), self._return, (event.engine,))
        else:
            for place, engine in enumerate(event.engines):
                when = at + place * to_ns(event.each_s)
                self._at(when, self._give, (event.tenant, engine))

    def _at(self, when, action, arguments):
        heappush(self.heap, (when, self.order, action, arguments))
        self.order += 1

    def _happen_until(self, now):
        while self.heap and self.heap[0][0] <= now:
            when, _, action, arguments = heappop(self.heap)
            action(when, *arguments)

    def _join(self, now):
        desk = self.desk
        desk.start(len(desk.members), desk.members[0].limits, now)

    def _return(self, now, engine):
        self.desk.start(engine, self.desk.members[engine].limits, now)

    def _notice(self, now, engine):
        self.desk.forget(engine)

    def _give(self, now, tenant, engine):
        self.desk.give(tenant, engine)

    def _die(self, now, engine):
        """Who has no token yet is sent again; who has one is lost."""
        member = self.desk.members[engine]
        member.dies_ns = now
        run = self.runs[id(member)] = member.run()
        if run is None:
            return
        is_left = (run.trace.finished > 0) & (run.trace.finished <= now)
        has_begun = (run.trace.first_token > 0) & (
            run.trace.first_token <= now
        )
        for place in np.flatnonzero(~is_left).tolist():
            request = member.requests[place]
            if has_begun[place]:
                self.outcome[request] = LOST
            else:
                self._again(request, now)

    def _again(self, request, now):
        if self.num_tries[request] >= MAX_TRIES:
            self.outcome[request] = LOST
        else:
            self._at(now + self.retry_ns, self._resend, (request,))

    def _resend(self, now, request):
        self._send(request, now)

    def _send(self, request, now):
        desk = self.desk
        self.num_tries[request] += 1
        chosen = desk.choose(request, now)
        if chosen is None:
            nobody = not desk.choosable
            self.outcome[request] = LOST if nobody else NOT_FOUND
            return
        self.engine_of[request] = chosen
        if not desk.is_alive(chosen):
            self._again(request, now)
        elif chosen not in desk.holders(desk.adapter_ids[request]):
            self.outcome[request] = NOT_FOUND
        else:
            desk.members[chosen].send(request, now)

    def _fleet_run(self) -> FleetRun:
        desk, arrival = self.desk, self.desk.workload.arrival_ns
        ttft, latency = (np.full(len(arrival), -1) for _ in range(2))
        outcome = np.array(self.outcome)
        lives = []
        for born, member in desk.lives:
            run = self.runs.get(id(member)) or member.run()
            life = life_of(
                member.number, born, member.dies_ns, member.requests, run
            )
            lives.append(life)
            if run is None:
                continue
            late = run.workload.arrival_ns - arrival[life.requests]
            finished = run.front.seen_ns(run.trace.finished)
            is_done = (run.trace.finished > 0) & (
                run.trace.finished <= member.dies_ns
            )
            rows = life.requests[is_done]
            ttft[rows] = (run.ttft_ns + late)[is_done]
            latency[rows] = (finished - arrival[life.requests])[is_done]
        return FleetRun(
            desk.workload, desk.rule.name, len(desk.members), tuple(lives),
            np.array(self.engine_of), np.array(self.num_tries), outcome,
            ttft, latency + np.where(latency >= 0, desk.cost.api_ns, 0),
        )  # fmt: skip
