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
            first, duration = self._plan()
            yield self.env.timeout(duration)
            for request in first:
                self.first_token[request] = self.env.now
                self.leaving[step + self.output[request] - 1].append(request)
            self.num_decoding += len(first)
            for request in self.leaving.pop(step, ()):
                self._leave(request)
            step += 1

    def _after_arrivals(self):
        event = self.env.event()
        event._ok, event._value = True, None
        self.env.schedule(event, priority=AFTER_ARRIVALS)
        return event

    def _plan(self):
        """Return whose prompt ends in this step, and its duration in ns."""
        tokens = self.limits.max_num_batched_tokens - self.num_decoding
        room, first = tokens, []
        if self.cut:
            room = self._prefill(*self.cut, room, first)
        seats = self.limits.max_num_seqs - sum(self.running_of.values())
        passed = []
        for place, request in enumerate(self.waiting):
            if not (room and seats):
                passed += self.waiting[place:]
                break
            if not self._fits(self.adapter[request]):
                passed.append(request)
                continue
            self.admitted[request] = self.env.now
            self.running_of[self.adapter[request]] += 1
            seats -= 1
            room = self._prefill(request, self.prompt[request], room, first)
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
        adapter_id = self.adapter[request]
        self.running_of[adapter_id] -= 1
        if not self.running_of[adapter_id]:
            del self.running_of[adapter_id]
