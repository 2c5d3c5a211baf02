"""The serving model told a second time, in SimPy, to be held against ours.

Two processes: requests arrive, an engine steps. The walk of the waiting
queue, seats, tokens and times are written anew here; the slots are
AdapterTiers, which the tests hold against vLLM's own classes.
"""

from collections import defaultdict

import numpy as np
import simpy

from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS
from multilora.matmul.operands import BASE

AFTER_ARRIVALS = 2  # SimPy's own events have priority 0 and 1


class Engine:
    """Steps while there is work; notes admissions, first and last tokens."""

    def __init__(self, workload, limits, cost, order):
        self.env = simpy.Environment()
        self.arrival, self.adapter, self.prompt, self.output = (
            column.tolist() for column in workload[:4]
        )
        self.limits, self.cost, self.walk = limits, cost, WALKS[limits.walk]
        self.rank = {a: place for place, a in enumerate(order.tolist())}
        self.tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
        self.num_walks, self.before = 0, set()
        self.waiting, self.num_decoding = [], 0
        self.running_of = defaultdict(int)  # adapter id -> requests
        self.cut = None
        self.leaving = defaultdict(list)  # step -> requests
        self.kv, self.was_in = None, set()
        if limits.num_gpu_blocks is not None:
            self.kv = Blocks(limits, self.prompt)
        hits = limits.hit_tokens(np.array(self.prompt))
        self.to_prefill = (np.array(self.prompt) - hits).tolist()
        self.work = self.env.event()
        self.admitted, self.first_token, self.finished = (
            np.zeros(len(self.arrival), dtype=np.int64) for _ in range(3)
        )

    def run(self):
        """Run to the end; return (admitted, first_token, finished) in ns."""
        self.env.process(self._arrivals())
        self.env.process(self._steps())
        self.env.run()
        return self.admitted, self.first_token, self.finished

    def _arrivals(self):
        for request, arrival in enumerate(self.arrival):
            if arrival > self.env.now:
                yield self.env.timeout(arrival - self.env.now)
            self.waiting.append(request)
            if not self.work.triggered:
                self.work.succeed()

    def _steps(self):
        step = 0
        while True:
            if not (self.waiting or self.running_of):
                self.work = self.env.event()
                yield self.work
            yield self._after_arrivals()
            has_lost = self.kv is not None and self._make_room(step)
            first, duration = self._plan(has_lost)
            yield self.env.timeout(duration)
            for request in first:
                if not self.first_token[request]:
                    self.first_token[request] = self.env.now
                last = step + self.output[request] - 1
                self.leaving[last].append(request)
                if self.kv:
                    self.kv.decodes[request] = last
            self.num_decoding += len(first)
            for request in self.leaving.pop(step, ()):
                self._leave(request)
            step += 1

    def _after_arrivals(self):
        event = self.env.event()
        event._ok, event._value = True, None
        self.env.schedule(event, priority=AFTER_ARRIVALS)
        return event

    def _make_room(self, step):
        """Give each running request its block; True if some lost theirs."""
        kv, has_lost = self.kv, False
        for request in list(kv.stored):
            if request not in kv.stored:
                break  # the last ones lost their blocks to earlier ones
            tokens = 1
            if self.cut and self.cut[0] == request:
                room = self.limits.max_num_batched_tokens - self.num_decoding
                tokens = min(self.cut[1], room)
            while not kv.can_store(request, tokens):
                victim = next(reversed(kv.stored))
                self._preempt(victim, step)
                has_lost = True
                if victim == request:
                    return True
            kv.store(request, tokens)
        return has_lost

    def _preempt(self, request, step):
        if self.cut and self.cut[0] == request:
            self.cut = None
        else:
            last = self.kv.decodes.pop(request)
            self.leaving[last].remove(request)
            made = self.output[request] - (last - step + 1)
            self.output[request] -= made
            self.to_prefill[request] += made
            self.kv.whole[request] += made
            self.num_decoding -= 1
        self.kv.drop(request)
        self._let_go(request)
        self.waiting.insert(0, request)

    def _plan(self, has_lost):
        """Return whose prompt ends in this step, and its duration in ns."""
        tokens = self.limits.max_num_batched_tokens - self.num_decoding
        room, first = tokens, []
        if self.cut:
            room = self._prefill(*self.cut, room, first)
        seats = self.limits.max_num_seqs - sum(self.running_of.values())
        passed = []
        for place, request in enumerate(self.waiting):
            if not (room and seats) or has_lost:
                passed += self.waiting[place:]
                break
            if not self._fits(self.adapter[request]):
                passed.append(request)
                continue
            if self.kv and not self.kv.can_hold(request):
                passed += self.waiting[place:]
                break
            if request not in self.was_in:
                self.was_in.add(request)
                self.admitted[request] = self.env.now
            self.running_of[self.adapter[request]] += 1
            seats -= 1
            left = self.to_prefill[request]
            if self.kv:
                hit = self.kv.whole[request] - left
                self.kv.store(request, hit + min(left, room))
            room = self._prefill(request, left, room, first)
        self.waiting = passed
        load_ns = self._load()
        num_running = sum(self.running_of.values())
        compute_ns = self.cost.compute_ns(
            tokens - room, num_running, len(self.running_of.keys() - {BASE})
        )
        return first, load_ns + compute_ns

    def _fits(self, adapter_id):
        if adapter_id == BASE or adapter_id in self.running_of:
            return True
        num_active = len(self.running_of) - (BASE in self.running_of)
        return num_active < self.limits.max_loras

    def _prefill(self, request, left, room, first):
        self.cut = None
        if left > room:
            self.cut = request, left - room
            return 0
        first.append(request)
        return room - left

    def _load(self):
        active = self.running_of.keys() - {BASE}
        if active != self.before:
            self.before, self.num_walks = active, self.walk.num_to_settle
        if not self.num_walks:
            return 0
        self.num_walks -= 1
        loads, reads = self.tiers.slot_loads, self.tiers.disk_loads
        self.tiers.walk_step(sorted(active, key=self.rank.get), self.walk)
        return self.cost.load_ns(
            self.tiers.slot_loads - loads, self.tiers.disk_loads - reads
        )

    def _leave(self, request):
        self.finished[request] = self.env.now
        self.num_decoding -= 1
        if self.kv:
            self.kv.drop(request)
        self._let_go(request)

    def _let_go(self, request):
        adapter_id = self.adapter[request]
        self.running_of[adapter_id] -= 1
        if not self.running_of[adapter_id]:
            del self.running_of[adapter_id]


class Blocks:
    """KV blocks, counted for each running request, in order of admission."""

    def __init__(self, limits, prompt):
        self.size, self.free = limits.block_size, limits.num_gpu_blocks
        self.stored = {}  # request -> tokens
        self.whole = list(prompt)  # tokens before the next one is made
        self.decodes = {}  # request -> its last step

    def can_store(self, request, tokens):
        return self._new(request, tokens) <= self.free

    def can_hold(self, request):
        return -(-self.whole[request] // self.size) <= self.free

    def store(self, request, tokens):
        self.free -= self._new(request, tokens)
        self.stored[request] = self.stored.get(request, 0) + tokens

    def drop(self, request):
        self.free += -(-self.stored.pop(request) // self.size)

    def _new(self, request, tokens):
        stored = self.stored.get(request, 0)
        return -(-(stored + tokens) // self.size) - -(-stored // self.size)
