"""Lab 04, the slot cache: each wrong solution is named by its slip."""

import random

from multilora.labs.spec_04_models import POLICIES, PlainCache
from mutants import each_accepted, each_named
from on_dicts import OnDicts


class Right(PlainCache):
    """Full marks; the mutants change one thing each."""

    @property
    def hit_rate(self):
        total = self.hits + self.misses
        return self.hits / total if total else 0.0


def goes(policy):
    class Cache(Right):
        def __init__(self, max_loras):
            super().__init__(max_loras, policy)

    return Cache


def changed(change):
    """A cache whose activate also does `change(cache, id, slot, before)`."""

    class Cache(Right):
        def activate(self, adapter_id):
            before = self.hits, self.misses, self.evictions
            slot = super().activate(adapter_id)
            new = change(self, adapter_id, slot, before)
            return slot if new is None else new

    return Cache


def also(name, is_meant):
    """A cache that counts one more of name where is_meant."""

    def count(cache, adapter_id, slot, before):
        if is_meant(cache, adapter_id, before):
            setattr(cache, name, getattr(cache, name) + 1)

    return changed(count)


def is_hit(cache, adapter_id, before):
    return cache.hits > before[0]


def is_miss(cache, adapter_id, before):
    return cache.misses > before[1]


class AtRandom(Right):
    def _rank(self, slot):
        return random.Random(self.now * 7 + slot).random()


class OneSlotMore(Right):
    def __init__(self, max_loras):
        super().__init__(max_loras + 1)


class NeverEvicts(OnDicts):
    def make_room(self):
        if not self.free:
            self.evictions += 1
            self.free.append(len(self.table))


class ZeroIsNobody(Right):
    def activate(self, adapter_id):
        return super().activate(adapter_id) if adapter_id > 0 else -1


class SlotZeroIsNone(OnDicts):
    def activate(self, adapter_id):
        if self.table.get(adapter_id) == 0:
            self.free.insert(0, self.table.pop(adapter_id))
        return super().activate(adapter_id)


class BaseInASlot(Right):
    def activate(self, adapter_id):
        return super().activate(99 if adapter_id == -1 else adapter_id)


class Shared(OnDicts):
    everyone = {}  # noqa: RUF012, the slip itself

    def __init__(self, max_loras):
        super().__init__(max_loras)
        self.table = self.everyone
        if max_loras == 2:
            self.free = [n for n in (0, 1) if n not in self.table.values()]


class ForgetsAReturn(OnDicts):
    def activate(self, adapter_id):
        if adapter_id not in self.table:
            return super().activate(adapter_id)
        super().activate(adapter_id)


class InOrderOfUse(OnDicts):
    @property
    def slots(self):
        empty = self.max_loras - len(self.table)
        return [*self.table, *[None] * empty]


class OnlyTheFull(Right):
    @property
    def slots(self):
        return [item[0] for item in self.held if item]


class InPercent(Right):
    @property
    def hit_rate(self):
        return 100 * super().hit_rate


class HitsToMisses(Right):
    @property
    def hit_rate(self):
        return self.hits / self.misses if self.misses else 0.0


MUTANTS = [
    *[(goes(policy), f"goes is the {policy}") for policy in POLICIES[1:]],
    (also("misses", is_hit), "7, 7, 7 is one miss"),
    (also("hits", is_miss), "7, 7, 7 is one miss"),
    (also("evictions", is_hit), "7, 7, 7 is one miss"),
    (also("evictions", is_miss), "2 evictions, counted"),
    (AtRandom, "must go, the least recently used, not"),
    (OneSlotMore, "slots after 5 are [5, None]"),
    (NeverEvicts, "the newcomer must take over the evicted"),
    (ZeroIsNobody, "is adapter 0 or slot 0 taken for nothing"),
    (SlotZeroIsNone, "is adapter 0 or slot 0 taken for nothing"),
    (BaseInASlot, "the base must get slot -1, not 0"),
    (Shared, "two caches share their slots"),
    (ForgetsAReturn, "activate returned nothing: is a `return` missing?"),
    (InOrderOfUse, "not [6, 7]"),
    (OnlyTheFull, "slots after 5 are [5, None], not [5]"),
    (InPercent, "hit_rate is hits over hits and misses"),
    (HitsToMisses, "hit_rate is hits over hits and misses"),
]


test_a_mutant_is_named = each_named(
    [("AdapterSlotCache", *row) for row in MUTANTS]
)


test_a_variant_is_accepted = each_accepted(
    [("AdapterSlotCache", variant) for variant in (Right, OnDicts)]
)
