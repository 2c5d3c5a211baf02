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
from multilora.serving.blocks import blocks_of
from multilora.serving.cost import MAX_NS, PPM, StepCost, require_counted
from multilora.serving.limits import Limits
from multilora.serving.trace import Totals, Trace
from multilora.serving.workload import Workload


def run_engine(
    workload: Workload,
    limits: Limits,
    cost: StepCost,
    order: np.ndarray,
    tiers: AdapterTiers,
    until_ns: int = MAX_NS,
) -> Trace:
    """Return the Trace of a run; order ranks the adapters in a walk.

    tiers is where the adapters are at the start; the run changes it. Steps
    that would begin at until_ns or later are not run.
    """
    engine = PlainEngine(limits, cost, order, tiers)
    hit = limits.hit_tokens(workload.prompt_tokens)
    columns = (*workload[:4], hit)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        engine.add(*row)
    engine.run_until(until_ns)
    return engine.trace()


class PlainEngine:
    """An engine that is told of its requests as they come."""

    def __init__(
        self,
        limits: Limits,
        cost: StepCost,
        order: np.ndarray,
        tiers: AdapterTiers,
    ) -> None:
        # Columns of requests; stored: tokens to store before the next one
        # is made, to_make: tokens still to make, hit: not to be computed.
        self.arrival: list[int] = []
        self.adapter: list[int] = []
        self.stored: list[int] = []
        self.to_make: list[int] = []
        self.hit: list[int] = []
        self.limits, self.cost = limits, cost
        self.rank = dict(zip(order.tolist(), range(len(order)), strict=True))
        self.tiers = tiers
        self.loads_before = tiers.slot_loads, tiers.disk_loads
        self.walk = WALKS[limits.walk]
        self.now, self.step, self.load_end = 0, 0, 0
        self.until = MAX_NS
        self.num_joined = 0
        # All that wait, and some already seated; who lost blocks is ahead.
        self.queue: deque[int] = deque()
        self.place: list[int] = []  # in the queue
        # By adapter, as blocked and left_at are.
        self.waiting: defaultdict[int, deque[int]] = defaultdict(deque)
        self.num_waiting = self.num_ready = 0  # ready: the adapter fits
        self.active: dict[int, int] = {}  # adapter id -> running requests
        # Requests in order of admission: the last loses its blocks first.
        self.running: dict[int, None] = {}
        self.blocks = blocks_of(limits)
        self.has_blocks = limits.num_gpu_blocks is not None
        self.decodes_from: list[int] = []  # a step; 0 is none
        # A heap of (last step, request).
        self.finishes: list[tuple[int, int]] = []
        self.last_step: dict[int, int] = {}  # of those that decode
        # The request whose prompt did not fit, and its tokens left.
        self.cut: tuple[int, int] | None = None
        self.num_walks = 0
        # How long the slots were all taken while seats and tokens were
        # left, and how much of that an adapter spent outside.
        self.full_ns = self.kv_full_ns = 0
        self.blocked: defaultdict[int, int] = defaultdict(int)
        self.left_at: defaultdict[int, int] = defaultdict(int)
        self.notes: dict[str, list[int]] = {
            name: [] for name in Trace._fields[:-1]
        }
        self.blocked_at_join: list[int] = []
        self.kv_since: list[int] = []
        self.is_seated: list[bool] = []
        self.left: list[int] = []  # who has finished, in order
        self.sums = dict.fromkeys(Totals._fields, 0)

    def add(
        self,
        arrival_ns: int,
        adapter_id: int,
        prompt_tokens: int,
        output_tokens: int,
        hit_tokens: int,
    ) -> None:
        """Tell of a request, not before one that arrives earlier."""
        self.place.append(len(self.arrival))
        self.arrival.append(arrival_ns)
        self.adapter.append(adapter_id)
        self.stored.append(prompt_tokens)
        self.to_make.append(output_tokens)
        self.hit.append(hit_tokens)
        self.is_seated.append(False)
        for column in (
            self.decodes_from,
            self.blocked_at_join,
            self.kv_since,
            *self.notes.values(),
        ):
            column.append(0)

    def run_until(self, until_ns: int) -> int:
        """Run all steps that begin before until_ns; return who has left.

        That is the number of requests that had finished at until_ns. Those
        that arrive before it must have been added.
        """
        self.until = until_ns
        while self._can_go_on():
            self._run_step()
        num, finished = len(self.left), self.notes["finished"]
        while num and finished[self.left[num - 1]] > until_ns:
            num -= 1
        return num

    @property
    def num_running(self) -> int:
        """Requests that have a seat, as the last step left them."""
        return len(self.running)

    @property
    def running_names(self) -> frozenset[int]:
        """The adapters of requests that run."""
        return frozenset(self.active)

    @property
    def kv_share(self) -> float:
        """The share of the KV blocks that are held; 0 where none count."""
        if not self.has_blocks:
            return 0.0
        return 1 - self.blocks.free / self.blocks.total

    def within(self, distance: int) -> frozenset[int]:
        """Return the adapters in a slot (0), or in memory too (1)."""
        tiers = self.tiers
        return frozenset(tiers.cpu_tier if distance else tiers.lru_order)

    def _can_go_on(self):
        """Let in who has arrived; skip idle time; False where it ends."""
        self._join()
        if not self.running and not self.num_waiting:
            if self.num_joined == len(self.arrival):
                return False
            if self.arrival[self.num_joined] >= self.until:
                return False
            self.now = self.arrival[self.num_joined]
            self._join()
        return self.now < self.until

    def _run_step(self):
        """Run one step, or as many as are the same."""
        num_preempted = self._grow() if self.has_blocks else 0
        room = self.limits.max_num_batched_tokens - len(self.last_step)
        served: list[int] = []
        budget = room
        if self.cut:
            room = self._prefill(*self.cut, room, served)
        # After a preemption nobody is let in.
        is_kv_full = num_preempted > 0
        while room > 0 and not is_kv_full and self._has_seat():
            request = self._first_that_fits()
            if request is None:
                break
            left = self.stored[request] - self.hit[request]
            is_kv_full = self._num_blocks_of(request) > self.blocks.free
            if not is_kv_full:
                self._seat(request)
                self.blocks.free -= self.blocks.num(self.hit[request])
                room = self._prefill(request, left, room, served)
        # Seats, tokens and blocks are left: who waits does so for a slot.
        has_room = room > 0 and self._has_seat() and not is_kv_full
        is_blocking = has_room and len(self.active) == self.limits.max_loras
        load_ns = self._load(served)
        duration = load_ns + self.cost.compute_ns(
            budget - room, len(self.running), len(self.active)
        )
        is_alone = bool(served or num_preempted)
        num_same = 1 if is_alone else self._num_alike(duration)
        self._pass_time(duration, load_ns, num_same, is_blocking, is_kv_full)
        self._hand_out(served, load_ns)

    def trace(self) -> Trace:
        """Return what was noted."""
        require_counted(max(self.now, self.sums["seat_ns"]))
        columns = [np.array(c, dtype=np.int64) for c in self.notes.values()]
        self.sums["num_steps"] = self.step
        slot_loads, disk_loads = self.loads_before
        self.sums["num_slot_loads"] = self.tiers.slot_loads - slot_loads
        self.sums["num_disk_loads"] = self.tiers.disk_loads - disk_loads
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
            self.kv_since[request] = self.kv_full_ns
            self.notes["joined"][request] = self.now
            self.notes["arrival_load"][request] = max(
                0, self.load_end - arrival[request]
            )
            self.num_joined += 1

    def _has_seat(self):
        return len(self.running) < self.limits.max_num_seqs

    def _num_blocks_of(self, request):
        return self.blocks.num(self.stored[request])

    def _grow(self):
        """Give the running their blocks of this step; return who lost theirs.

        The blocks of a prompt that was cut are given in _prefill.
        """
        num_preempted = 0
        while self._num_needed() > self.blocks.free:
            self._preempt(self.running.popitem()[0])
            num_preempted += 1
        self.blocks.free -= self.blocks.needed(self.step)
        return num_preempted

    def _num_needed(self):
        needed = self.blocks.needed(self.step)
        if self.cut:
            request, left = self.cut
            room = self.limits.max_num_batched_tokens - len(self.last_step)
            needed += self._num_new(request, left, min(left, room))
        return needed

    def _num_new(self, request, left, tokens):
        """Return how many blocks the next tokens of a prompt begin."""
        done = self.stored[request] - left
        return self.blocks.num(done + tokens) - self.blocks.num(done)

    def _prefill(self, request, left, room, served):
        """Give a prompt what room there is; return the room that remains."""
        tokens = min(left, room)
        self.blocks.free -= self._num_new(request, left, tokens)
        self.cut = (request, left - tokens) if left > tokens else None
        served.append(request)
        return room - tokens

    def _preempt(self, request):
        """Take a request's blocks; it goes to the front of the queue."""
        if self.cut and self.cut[0] == request:
            done, self.cut = self.stored[request] - self.cut[1], None
            self.blocks.free += self.blocks.num(done)
        else:
            since = self.decodes_from[request]
            num_made = self.step - since + 1
            self.blocks.stop(since, self.stored[request])
            self.stored[request] += num_made
            self.to_make[request] -= num_made
            self.blocks.free += self.blocks.num(self.stored[request] - 1)
            del self.last_step[request]
        self.notes["num_preemptions"][request] += 1
        self.sums["num_preemptions"] += 1
        self.kv_since[request] = self.now
        self.is_seated[request] = False
        self._let_go(self.adapter[request])
        self.num_waiting += 1
        self.place[request] = -self.sums["num_preemptions"]
        self.queue.appendleft(request)
        adapter_id = self.adapter[request]
        self.waiting[adapter_id].appendleft(request)
        self.num_ready += adapter_id in self.active or adapter_id == BASE

    def _first_that_fits(self):
        if len(self.active) < self.limits.max_loras:
            while self.queue and self.is_seated[self.queue[0]]:
                self.queue.popleft()
            return self.queue[0] if self.queue else None
        if not self.num_ready:
            return None
        fronts = (self.waiting[item] for item in (BASE, *self.active))
        return min(
            (front[0] for front in fronts if front), key=self.place.__getitem__
        )

    def _seat(self, request):
        adapter_id = self.adapter[request]
        self.waiting[adapter_id].popleft()
        self.num_waiting -= 1
        self.running[request] = None
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
        notes = self.notes
        if not notes["num_preemptions"][request]:
            notes["admitted"][request] = self.now
            notes["deferred"][request] = (
                blocked - self.blocked_at_join[request]
            )
            notes["kv_blocked"][request] = (
                self.kv_full_ns - self.kv_since[request]
            )
        elif not notes["first_token"][request]:
            notes["preempted"][request] += self.now - self.kv_since[request]

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
        finishes = self.finishes
        while self.last_step.get(finishes[0][1]) != finishes[0][0]:
            heappop(finishes)  # it was preempted since
        num = finishes[0][0] - self.step + 1
        until = self.until
        if self.num_joined < len(self.arrival):
            until = min(until, self.arrival[self.num_joined])
        num = min(num, -(-(until - self.now) // duration))
        return 1 + self.blocks.num_steps_that_fit(self.step + 1, num - 1)

    def _pass_time(self, duration, load_ns, num_same, is_blocking, is_kv_full):
        sums = self.sums
        if self.has_blocks:
            self._hold(duration, num_same)
        self.load_end = self.now + load_ns
        self.step += num_same
        duration *= num_same
        self.now += duration
        self.full_ns += duration * is_blocking
        self.kv_full_ns += duration * is_kv_full
        sums["busy_ns"] += duration
        sums["load_ns"] += load_ns
        sums["seat_ns"] += duration * len(self.running)
        sums["active_ns"] += duration * len(self.active)

    def _hold(self, duration, num_same):
        """Take the blocks of the further steps; note how many are held."""
        blocks, sums = self.blocks, self.sums
        blocks.free -= blocks.needed_over(self.step + 1, num_same - 1)
        num_held = blocks.total - blocks.free
        share_ppm = num_held * PPM // blocks.total
        sums["kv_ns"] += duration * num_same * share_ppm // PPM
        sums["most_blocks"] = max(sums["most_blocks"], num_held)

    def _hand_out(self, served, load_ns):
        """First tokens to whole prompts; who has all its tokens leaves."""
        notes = self.notes
        for request in served:
            is_first = not notes["first_token"][request]
            notes["prefill_load"][request] += load_ns * is_first
            if self.cut is None or self.cut[0] != request:
                if is_first:
                    notes["first_token"][request] = self.now
                last = self.step + self.to_make[request] - 2
                heappush(self.finishes, (last, request))
                self.last_step[request] = last
                self.decodes_from[request] = self.step
                self.blocks.start(self.step, self.stored[request])
        while self.finishes and self.finishes[0][0] < self.step:
            last, request = heappop(self.finishes)
            if self.last_step.get(request) == last:
                self._leave(request)

    def _leave(self, request):
        self.notes["finished"][request] = self.now
        self.left.append(request)
        del self.running[request], self.last_step[request]
        since, stored = self.decodes_from[request], self.stored[request]
        self.blocks.stop(since, stored)
        num_decoded = self.step - since
        self.blocks.free += self.blocks.num(stored + num_decoded)
        self._let_go(self.adapter[request])

    def _let_go(self, adapter_id):
        """One request less of an adapter runs."""
        if adapter_id == BASE:
            return
        self.active[adapter_id] -= 1
        if not self.active[adapter_id]:
            del self.active[adapter_id]
            self.left_at[adapter_id] = self.full_ns
            self.num_ready -= len(self.waiting[adapter_id])
            self.num_walks = self.walk.num_to_settle
