"""The engine in Python, the readable one: what a step does, part by part.

Steps that are all alike are taken at once: a run costs by the number of
requests, not of tokens.
"""

from collections import defaultdict, deque
from heapq import heappop, heappush

import numpy as np

from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS
from multilora.matmul.operands import BASE
from multilora.serving.cost import StepCost, require_counted
from multilora.serving.limits import Limits
from multilora.serving.trace import Totals, Trace
from multilora.serving.workload import Workload


def run_engine(
    workload: Workload, limits: Limits, cost: StepCost, order: np.ndarray
) -> Trace:
    """Return the Trace of a run; order ranks the adapters in a walk."""
    engine = _Engine(workload, limits, cost, order)
    while engine.can_go_on():
        engine.run_step()
    return engine.trace()


class _Engine:
    def __init__(self, workload, limits, cost, order):
        columns = [column.tolist() for column in workload[:4]]
        self.arrival, self.adapter, self.prompt, self.output = columns
        self.limits, self.cost = limits, cost
        self.rank = dict(zip(order.tolist(), range(len(order)), strict=True))
        self.tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
        self.walk = WALKS[limits.walk]
        self.now, self.step, self.load_end = 0, 0, 0
        self.num_joined = 0
        # All that wait, and some already seated.
        self.queue: deque[int] = deque()
        self.waiting = defaultdict(deque)  # by adapter
        self.num_waiting = self.num_ready = 0  # ready: the adapter fits
        self.active = {}  # adapter id -> running requests
        self.num_running = self.num_decoding = 0
        self.finishes = []  # (last step, request), a heap
        # The request whose prompt did not fit, and its tokens left.
        self.cut: tuple[int, int] | None = None
        self.num_walks = 0
        # How long the slots were all taken while seats and tokens were
        # left, and how much of that an adapter spent outside.
        self.full_ns = 0
        self.blocked = defaultdict(int)
        self.left_at = defaultdict(int)
        num = len(self.arrival)
        self.notes = {name: [0] * num for name in Trace._fields[:-1]}
        self.blocked_at_join = [0] * num
        self.is_seated = [False] * num
        self.sums = dict.fromkeys(Totals._fields, 0)

    def can_go_on(self):
        """Let in who has arrived; skip idle time; False after the last."""
        self._join()
        if not self.num_running and not self.num_waiting:
            if self.num_joined == len(self.arrival):
                return False
            self.now = self.arrival[self.num_joined]
            self._join()
        return True

    def run_step(self):
        """Run one step, or as many as are the same."""
        room = self.limits.max_num_batched_tokens - self.num_decoding
        served: list[int] = []
        budget = room
        if self.cut:
            room = self._prefill(*self.cut, room, served)
        while room > 0 and self.num_running < self.limits.max_num_seqs:
            request = self._first_that_fits()
            if request is None:
                break
            self._seat(request)
            room = self._prefill(request, self.prompt[request], room, served)
        # Seats and tokens are left: who waits now does so for a slot.
        has_room = room > 0 and self.num_running < self.limits.max_num_seqs
        is_blocking = has_room and len(self.active) == self.limits.max_loras
        load_ns = self._load(served)
        duration = load_ns + self.cost.compute_ns(
            budget - room, self.num_running, len(self.active)
        )
        num_same = 1 if served else self._num_alike(duration)
        self._pass_time(duration, load_ns, num_same, is_blocking)
        self._hand_out(served, load_ns)

    def trace(self):
        """Return what was noted."""
        require_counted(max(self.now, self.sums["seat_ns"]))
        columns = [np.array(c, dtype=np.int64) for c in self.notes.values()]
        self.sums["num_steps"] = self.step
        self.sums["num_slot_loads"] = self.tiers.slot_loads
        self.sums["num_disk_loads"] = self.tiers.disk_loads
        return Trace._make([*columns, Totals(**self.sums)])

    def _join(self):
        arrival = self.arrival
        while (
            self.num_joined < len(arrival)
            and arrival[self.num_joined] <= self.now
        ):
            request = self.num_joined
            adapter_id = self.adapter[request]
            self.queue.append(request)
            self.waiting[adapter_id].append(request)
            self.num_waiting += 1
            self.num_ready += adapter_id in self.active or adapter_id == BASE
            self.blocked_at_join[request] = self._blocked_ns(adapter_id)
            self.notes["joined"][request] = self.now
            self.notes["arrival_load"][request] = max(
                0, self.load_end - arrival[request]
            )
            self.num_joined += 1

    def _prefill(self, request, left, room, served):
        """Give a prompt what room there is; return the room that remains."""
        tokens = min(left, room)
        self.cut = (request, left - tokens) if left > tokens else None
        served.append(request)
        return room - tokens

    def _first_that_fits(self):
        if len(self.active) < self.limits.max_loras:
            while self.queue and self.is_seated[self.queue[0]]:
                self.queue.popleft()
            return self.queue[0] if self.queue else None
        if not self.num_ready:
            return None
        fronts = (self.waiting[item] for item in (BASE, *self.active))
        return min(front[0] for front in fronts if front)

    def _seat(self, request):
        adapter_id = self.adapter[request]
        self.waiting[adapter_id].popleft()
        self.num_waiting -= 1
        self.num_running += 1
        blocked = self._blocked_ns(adapter_id)
        if adapter_id == BASE or adapter_id in self.active:
            self.num_ready -= 1
        else:
            self.blocked[adapter_id] = blocked
            self.num_ready += len(self.waiting[adapter_id])
            self.num_walks = self.walk.num_to_settle
        if adapter_id != BASE:
            self.active[adapter_id] = self.active.get(adapter_id, 0) + 1
        self.is_seated[request] = True
        self.notes["admitted"][request] = self.now
        self.notes["deferred"][request] = (
            blocked - self.blocked_at_join[request]
        )

    def _blocked_ns(self, adapter_id):
        if adapter_id == BASE or adapter_id in self.active:
            return self.blocked[adapter_id]
        outside = self.full_ns - self.left_at[adapter_id]
        return self.blocked[adapter_id] + outside

    def _load(self, served):
        """Activate the step's adapters where they changed; return the ns."""
        if not self.num_walks:
            return 0
        self.num_walks -= 1
        tiers = self.tiers
        loads, reads = tiers.slot_loads, tiers.disk_loads
        loaded_from = {}
        in_order = sorted(self.active, key=self.rank.__getitem__)
        for adapter_id in self.walk.order(tiers, in_order):
            distance = tiers.distance(adapter_id)
            tiers.activate(adapter_id)
            loaded_from[adapter_id] = distance
        for request in served:
            if self.notes["admitted"][request] == self.now:
                self.notes["loaded_from"][request] = loaded_from.get(
                    self.adapter[request], 0
                )
        return self.cost.load_ns(
            tiers.slot_loads - loads, tiers.disk_loads - reads
        )

    def _num_alike(self, duration):
        """Return how many steps from this on differ in nothing."""
        if self.num_walks:
            return 1
        num = self.finishes[0][0] - self.step + 1
        if self.num_joined < len(self.arrival):
            until = self.arrival[self.num_joined] - self.now
            num = min(num, -(-until // duration))
        return num

    def _pass_time(self, duration, load_ns, num_same, is_blocking):
        self.load_end = self.now + load_ns
        self.step += num_same
        duration *= num_same
        self.now += duration
        self.full_ns += duration * is_blocking
        self.sums["busy_ns"] += duration
        self.sums["load_ns"] += load_ns
        self.sums["seat_ns"] += duration * self.num_running
        self.sums["active_ns"] += duration * len(self.active)

    def _hand_out(self, served, load_ns):
        """First tokens to whole prompts; who has all his tokens leaves."""
        for request in served:
            self.notes["prefill_load"][request] += load_ns
            if self.cut is None or self.cut[0] != request:
                self.notes["first_token"][request] = self.now
                last = self.step + self.output[request] - 2
                heappush(self.finishes, (last, request))
                self.num_decoding += 1
        while self.finishes and self.finishes[0][0] < self.step:
            self._leave(heappop(self.finishes)[1])

    def _leave(self, request):
        self.notes["finished"][request] = self.now
        self.num_running -= 1
        self.num_decoding -= 1
        adapter_id = self.adapter[request]
        if adapter_id == BASE:
            return
        self.active[adapter_id] -= 1
        if not self.active[adapter_id]:
            del self.active[adapter_id]
            self.left_at[adapter_id] = self.full_ns
            self.num_ready -= len(self.waiting[adapter_id])
            self.num_walks = self.walk.num_to_settle
