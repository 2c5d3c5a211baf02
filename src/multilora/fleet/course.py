"""The course of a fleet: requests, retries and events in order of time."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any

import numpy as np

from multilora.fleet.desk import Desk
from multilora.fleet.events import Dies, Event, Joins, to_ns
from multilora.fleet.members import Member
from multilora.fleet.played import DONE, LOST, NOT_FOUND
from multilora.serving.cost import MAX_NS

MAX_TRIES = 5  # of a request, vllm-router's default


class Course:
    """What a desk is told, one after the other, and how each request ends.

    engine_of, num_tries and outcome are those of a FleetRun, as lists. Of
    what happens at the same time a request that arrives comes last.
    """

    def __init__(
        self, desk: Desk, events: Iterable[Event], retry_ns: int
    ) -> None:
        self.desk, self.retry_ns = desk, retry_ns
        num = desk.workload.num_requests
        self.engine_of = [-1] * num
        self.num_tries = [0] * num
        self.outcome = [DONE] * num
        self._heap: list[tuple[int, int, Callable, tuple[Any, ...]]] = []
        self._order = 0  # of what happens at the same time
        for event in events:
            self._expect(event)

    def run(self) -> None:
        """Play all requests and events to their end."""
        for request, now in enumerate(self.desk.workload.arrival_ns.tolist()):
            if self._heap:
                self._happen_until(now)
            self._send(now, request)
        self._happen_until(MAX_NS)

    def _expect(self, event):
        at, desk = to_ns(event.at_s), self.desk
        if isinstance(event, Joins):
            self._at(at, desk.join)
        elif isinstance(event, Dies):
            self._at(at, self._die, event.engine, to_ns(event.noticed_s))
            if event.back_s is not None:
                self._at(to_ns(event.back_s), desk.restart, event.engine)
        else:
            for place, engine in enumerate(event.engines):
                when = at + place * to_ns(event.each_s)
                self._at(when, desk.give, event.tenant, engine)

    def _at(self, when, action, *arguments):
        heappush(self._heap, (when, self._order, action, arguments))
        self._order += 1

    def _happen_until(self, now):
        while self._heap and self._heap[0][0] <= now:
            when, _, action, arguments = heappop(self._heap)
            action(when, *arguments)

    def _die(self, now, engine, noticed_ns):
        member = self.desk.members[engine]
        member.die(now)
        if noticed_ns:
            self._at(now + noticed_ns, self.desk.forget, member)
        else:
            self.desk.forget(now, member)
        self._cut_off(now, member)

    def _cut_off(self, now: int, member: Member) -> None:
        """Send a request without a token again; one with a token is lost."""
        run = member.run()
        if run is None:
            return
        finished, first = run.trace.finished, run.trace.first_token
        is_left = (finished > 0) & (finished <= now)
        has_begun = (first > 0) & (first <= now)
        for place in np.flatnonzero(~is_left).tolist():
            request = member.requests[place]
            if has_begun[place]:
                self.outcome[request] = LOST
            else:
                self._again(now, request)

    def _again(self, now, request):
        if self.num_tries[request] >= MAX_TRIES:
            self.outcome[request] = LOST
        else:
            self._at(now + self.retry_ns, self._send, request)

    def _send(self, now: int, request: int) -> None:
        desk = self.desk
        self.num_tries[request] += 1
        chosen = desk.choose(now, request)
        if chosen is None:
            nobody = not desk.choosable
            self.outcome[request] = LOST if nobody else NOT_FOUND
            return
        self.engine_of[request] = chosen
        member = desk.members[chosen]
        if not member.is_alive:
            self._again(now, request)
        elif chosen not in desk.holders(desk.adapter_ids[request]):
            self.outcome[request] = NOT_FOUND
        else:
            member.send(now, request)
