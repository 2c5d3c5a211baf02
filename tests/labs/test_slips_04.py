"""Lab 04: the known slips, each named by its sentence."""

from collections import OrderedDict

import numpy as np

from multilora.cache.slots import AdapterSlotCache, schedule_step
from multilora.labs.switch import library
from mutants import each_named


class NoCount(AdapterSlotCache):
    def activate(self, adapter_id):
        slot = super().activate(adapter_id)
        self.evictions = 0
        return slot


class FirstInFirstOut(AdapterSlotCache):
    def activate(self, adapter_id):
        order = OrderedDict(self._slot_of)
        was_there = adapter_id in order
        slot = super().activate(adapter_id)
        if was_there:
            self._slot_of = order
        return slot


class CountsTheBase(AdapterSlotCache):
    def activate(self, adapter_id):
        if adapter_id == -1:
            self.misses += 1
        return super().activate(adapter_id)


class SameSlot(AdapterSlotCache):
    def activate(self, adapter_id):
        slot = super().activate(adapter_id)
        return slot if slot < 0 else 0


def barrier(waiting, running, max_loras, max_num_seqs=None):
    _, deferred = schedule_step(waiting, running, max_loras, max_num_seqs)
    stop = waiting.index(deferred[0]) if deferred else len(waiting)
    return waiting[:stop], waiting[stop:]


def backwards(waiting, running, max_loras, max_num_seqs=None):
    admitted, deferred = schedule_step(
        waiting, running, max_loras, max_num_seqs
    )
    return admitted, deferred[::-1]


def base_is_an_adapter(waiting, running, max_loras, max_num_seqs=None):
    queue = [(name, 99 if a == -1 else a) for name, a in waiting]
    admitted, _ = schedule_step(queue, running, max_loras, max_num_seqs)
    names = {name for name, _ in admitted}
    return (
        [item for item in waiting if item[0] in names],
        [item for item in waiting if item[0] not in names],
    )


def forgets_running(waiting, running, max_loras, max_num_seqs=None):
    return schedule_step(waiting, [], max_loras, max_num_seqs)


def admits_nobody(waiting, running, max_loras, max_num_seqs=None):
    return [], []


def only_admitted(waiting, running, max_loras, max_num_seqs=None):
    return schedule_step(waiting, running, max_loras, max_num_seqs)[0]


def eats_the_queue(waiting, running, max_loras, max_num_seqs=None):
    result = schedule_step(waiting, running, max_loras, max_num_seqs)
    waiting.clear()
    return result


class DividesByZero(AdapterSlotCache):
    @property
    def hit_rate(self):
        return self.hits / (self.hits + self.misses)


class AlwaysSeven(AdapterSlotCache):
    @property
    def hit_rate(self):
        return 7.0 if self.hits else 0.0


class NoSlots(AdapterSlotCache):
    slots = ()


def rates(trace, num_adapters=None):
    return library("lru_hit_curve")(trace, num_adapters) / len(trace)


def counts_the_base(trace, num_adapters=None):
    num_adapters = num_adapters or len(set(trace))
    return library("lru_hit_curve")(trace, num_adapters)


def one_too_far(trace, num_adapters=None):
    curve = library("lru_hit_curve")(trace, num_adapters)
    return np.concatenate([[0], curve[:-1]])


SLIPS = [
    ("AdapterSlotCache", NoCount, "evicting without counting"),
    (
        "AdapterSlotCache",
        FirstInFirstOut,
        "goes is the first in,",
    ),
    ("AdapterSlotCache", CountsTheBase, "the base was counted"),
    ("AdapterSlotCache", SameSlot, "two adapters in one slot"),
    ("schedule_step", barrier, "barrier instead of defer"),
    ("schedule_step", backwards, "came back in reverse"),
    ("schedule_step", base_is_an_adapter, "counts as an adapter"),
    ("schedule_step", forgets_running, "running requests were forgotten"),
    ("schedule_step", admits_nobody, "none may be lost"),
    ("schedule_step", only_admitted, "must be (admitted, deferred)"),
    ("schedule_step", eats_the_queue, "changed in place"),
    ("AdapterSlotCache", DividesByZero, "raised ZeroDivisionError"),
    ("AdapterSlotCache", AlwaysSeven, "hits over hits and misses"),
    ("AdapterSlotCache", NoSlots, "slots after 5 are"),
    ("lru_hit_curve", one_too_far, "off by one"),
    ("lru_hit_curve", rates, "are these rates?"),
    ("lru_hit_curve", counts_the_base, "the base is none of them"),
]


test_a_known_slip_is_named = each_named(SLIPS)
