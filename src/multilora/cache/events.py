"""Which adapters run in each step of a run: arrivals, deferral, departures.

One step is one forward pass of fixed length. A request takes a seat for
steps_per_request steps; seats, tokens and KV blocks are not limited here.
"""

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from multilora.arguments import (
    finite_number,
    integer,
    real_array,
    require_finite,
    shown,
)
from multilora.cache.walks import MAX_IN_A_SET

MAX_STEPS = 10**12


class Event(NamedTuple):
    """A step that differs from the one before it.

    adapters are those that run in it, in the order in which they became
    active, as vLLM's batch keeps them; num_completed counts requests so far.
    """

    step: int
    adapters: list[int]
    num_completed: int


def adapters_by_event(
    arrivals: tuple[Sequence[float] | np.ndarray, Sequence[int] | np.ndarray],
    num_adapters: int,
    max_loras: int,
    step_ms: float,
    steps_per_request: int,
    duration_s: float,
) -> list[Event]:
    """Return an Event for each step before which somebody came or left.

    The steps in between run the same adapters again. Arguments and errors
    are those of simulate_loads.
    """
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_IN_A_SET)
    steps_per_request = integer("steps_per_request", steps_per_request, 1)
    step_s = finite_number("step_ms", step_ms, above=0) / 1000
    duration_s = finite_number("duration_s", duration_s, above=0)
    if duration_s / step_s > MAX_STEPS:
        raise ValueError(
            f"step_ms is {step_ms}, which makes {duration_s / step_s:.3g} "
            f"steps of duration_s = {duration_s}; at most {MAX_STEPS:,}"
        )
    coming = _first_steps(arrivals, num_adapters, step_s, duration_s)
    queue = _Queue(integer("max_loras", max_loras, minimum=1))
    events: list[Event] = []
    ends: list[tuple[int, int]] = []  # (step, adapter id)
    num_completed = 0
    while coming or ends:
        step = min(line[0][0] for line in (coming, ends) if line)
        if step * step_s > duration_s:
            break
        while ends and ends[0][0] <= step:
            queue.leave(heappop(ends)[1])
            num_completed += 1
        admitted = queue.admit_waiting()
        while coming and coming[0][0] <= step:
            admitted += queue.arrive(coming.popleft()[1])
        for adapter_id in admitted:
            heappush(ends, (step + steps_per_request, adapter_id))
        events.append(Event(step, list(queue.active), num_completed))
    return events


class _Queue:
    """Who runs and who waits, per adapter: schedule_step between changes.

    Without a limit on seats every request of an active adapter runs, so
    only whole adapters wait, the one that waits longest first.
    """

    def __init__(self, max_loras):
        self.max_loras = max_loras
        self.active = {}  # adapter id -> running requests
        self._waiting = {}  # adapter id -> waiting requests
        # waiting adapters, oldest request first
        self._order: deque[int] = deque()

    def arrive(self, adapter_id):
        """Admit or queue one request; return the admitted adapter ids."""
        if adapter_id in self.active or len(self.active) < self.max_loras:
            return self._run(adapter_id, 1)
        if adapter_id not in self._waiting:
            self._order.append(adapter_id)
        self._waiting[adapter_id] = self._waiting.get(adapter_id, 0) + 1
        return []

    def leave(self, adapter_id):
        """End one request."""
        self.active[adapter_id] -= 1
        if not self.active[adapter_id]:
            del self.active[adapter_id]

    def admit_waiting(self):
        """Admit whole adapters while there is room; return their ids."""
        admitted = []
        while self._order and len(self.active) < self.max_loras:
            adapter_id = self._order.popleft()
            admitted += self._run(adapter_id, self._waiting.pop(adapter_id))
        return admitted

    def _run(self, adapter_id, count):
        self.active[adapter_id] = self.active.get(adapter_id, 0) + count
        return [adapter_id] * count


def _first_steps(arrivals, num_adapters, step_s, duration_s):
    """Return a deque of (first step that sees it, adapter id)."""
    if not isinstance(arrivals, tuple) or len(arrivals) != 2:
        raise TypeError(
            f"arrivals is {shown(arrivals)}, but must be (times, adapter "
            "ids), as traffic.poisson returns them"
        )
    times, ids = arrivals
    times = real_array("times of arrivals", times).astype(np.float64)
    ids = real_array("ids of arrivals", ids)
    if times.ndim != 1 or times.shape != ids.shape:
        raise ValueError(
            f"arrivals has times of shape {times.shape} and ids of shape "
            f"{ids.shape}; each request has one of both"
        )
    require_finite("times of arrivals", times)
    require_finite("ids of arrivals", ids)
    if np.any(times < 0) or np.any(np.diff(times) < 0):
        raise ValueError(
            f"arrivals has times that are negative or descend: {shown(times)}"
        )
    if np.any((ids % 1 != 0) | (ids < 0) | (ids >= num_adapters)):
        raise ValueError(
            f"arrivals has ids outside 0 to {num_adapters - 1}, the integers "
            "that num_adapters allows"
        )
    in_time = times <= duration_s
    steps = np.ceil(times[in_time] / step_s).astype(int).tolist()
    return deque(zip(steps, ids[in_time].astype(int).tolist(), strict=True))
