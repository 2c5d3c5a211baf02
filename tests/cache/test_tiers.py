"""The two tiers against plain lists; what each walk loads in one step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import AdapterSlotCache
from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS, SetOrder

sizes = st.tuples(st.integers(1, 5), st.integers(0, 4)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)
steps = st.lists(
    st.lists(st.integers(-1, 8), min_size=1, max_size=9), max_size=40
)


class ListTiers:
    """Both tiers as lists, oldest use first: slow and obvious."""

    def __init__(self, max_loras, max_cpu_loras):
        self.slots, self.order, self.copies = [None] * max_loras, [], []
        self.max_cpu_loras = max_cpu_loras
        self.slot_loads = self.disk_loads = 0

    def activate(self, adapter_id):
        if adapter_id in self.copies:
            self.copies.remove(adapter_id)
        else:
            self.disk_loads += 1
            if len(self.copies) == self.max_cpu_loras:
                self.vacate(self.copies.pop(0))
        self.copies.append(adapter_id)
        if adapter_id in self.order:
            self.order.remove(adapter_id)
        else:
            self.slot_loads += 1
            if None not in self.slots:
                self.vacate(self.order[0])
            self.slots[self.slots.index(None)] = adapter_id
        self.order.append(adapter_id)

    def vacate(self, adapter_id):
        if adapter_id in self.order:
            self.order.remove(adapter_id)
            self.slots[self.slots.index(adapter_id)] = None


def fitting(step, max_loras):
    """The first max_loras distinct adapters of a step, no base rows."""
    return list(dict.fromkeys(i for i in step if i >= 0))[:max_loras]


@given(sizes, steps)
def test_the_tiers_are_the_lists(size, trace):
    tiers, plain = AdapterTiers(*size), ListTiers(*size)
    for step in trace:
        ids = fitting(step, size[0])
        placed = tiers.activate_step(ids)
        for adapter_id in ids:
            plain.activate(adapter_id)
        assert tiers.slots == plain.slots
        assert tiers.cpu_tier == plain.copies
        assert tiers.lru_order == plain.order
        assert placed == {i: plain.slots.index(i) for i in ids}
        assert tiers.slot_loads == plain.slot_loads
        assert tiers.disk_loads == plain.disk_loads
    held = [item for item in tiers.slots if item is not None]
    assert tiers.evictions == tiers.misses - len(held)
    assert tiers.cpu_evictions == tiers.disk_loads - len(tiers.cpu_tier)


@given(st.integers(1, 5), st.lists(st.integers(-1, 8), max_size=60))
def test_with_copies_of_all_the_slots_are_lab_04s_cache(max_loras, trace):
    tiers, cache = AdapterTiers(max_loras, 99), AdapterSlotCache(max_loras)
    for adapter_id in trace:
        assert tiers.activate(adapter_id) == cache.activate(adapter_id)
        assert tiers.slots == cache.slots
    assert (tiers.hits, tiers.misses) == (cache.hits, cache.misses)
    assert tiers.disk_loads == len(set(trace) - {-1})


@given(st.integers(1, 5), st.lists(st.integers(0, 8), max_size=60))
def test_by_default_every_miss_reads_the_disk(max_loras, trace):
    tiers = AdapterTiers(max_loras)
    for adapter_id in trace:
        tiers.activate(adapter_id)
    assert tiers.disk_loads == tiers.slot_loads
    assert tiers.cpu_tier == tiers.lru_order


@given(sizes, steps, st.sampled_from(["residents first", "ideal"]))
def test_two_walks_load_each_absent_adapter_once(size, trace, walk):
    """No walk can do with less, so both are the best there is for a step."""
    tiers = AdapterTiers(*size)
    for step in trace:
        ids = fitting(step, size[0])
        absent = len(set(ids) - set(tiers.lru_order))
        unread = len(set(ids) - set(tiers.cpu_tier))
        before = tiers.slot_loads, tiers.disk_loads
        tiers.activate_step(ids, walk)
        if walk == "residents first":
            assert tiers.disk_loads - before[1] == unread
        assert tiers.slot_loads - before[0] == absent
        assert set(ids) <= set(tiers.slots)


@given(sizes, steps)
def test_one_by_one_loads_at_most_a_full_house_a_step(size, trace):
    tiers = AdapterTiers(*size)
    for step in trace:
        ids = fitting(step, size[0])
        absent = len(set(ids) - set(tiers.lru_order))
        before = tiers.slot_loads
        tiers.activate_step(ids, "one by one")
        loads = tiers.slot_loads - before
        assert absent <= loads <= len(ids)
        assert bool(loads) == bool(absent)
        # A second time all are there: steps with the same adapters are free.
        tiers.activate_step(ids, "one by one")
        assert tiers.slot_loads == before + loads


@pytest.mark.parametrize(
    ("order", "loads"),
    [((1, 2, 3, 5), 1), ((1, 5, 2, 3), 3), ((5, 1, 2, 3), 4)],
)
def test_the_minimal_witness(order, loads):
    tiers = AdapterTiers(4, 9)
    for adapter_id in (1, 2, 3, 4):
        tiers.activate(adapter_id)
    tiers.activate_step(order)
    assert tiers.slot_loads - 4 == loads


class Tag:
    """An adapter with a hash of our choice; a LoRARequest has its name's."""

    def __init__(self, number, chosen):
        self.number, self.chosen = number, chosen

    def __hash__(self):
        return self.chosen


def test_a_set_is_walked_as_python_walks_it():
    order = SetOrder(200, seed=3)
    hashes = np.random.default_rng(3).integers(0, 2**60, 200).tolist()
    for ids in (range(4), range(30), range(199, 0, -7)):
        tags = {Tag(number, hashes[number]) for number in ids}
        assert order(ids) == [tag.number for tag in tags]
    # Salted anew by another seed, and not simply in order.
    assert order(range(50)) != SetOrder(200, seed=4)(range(50))
    assert order(range(50)) != list(range(50))
    for wrong in ([200], [-1], [1.5], [[1]], 7, None):
        with pytest.raises(ValueError, match="ids from 0 to 199"):
            order(wrong)


@given(sizes, steps, st.randoms(use_true_random=False))
def test_a_protected_step_leaves_nothing_protected(size, trace, random):
    """Walks mixed on one cache: each step again loads what was absent."""
    tiers = AdapterTiers(*size)
    for step in trace:
        walk = random.choice(list(WALKS))
        ids = fitting(step, size[0])
        absent = set(ids) - set(tiers.slots)
        before = tiers.slot_loads
        tiers.activate_step(ids, walk)
        if walk != "one by one":
            assert tiers.slot_loads - before == len(absent)
        # Anybody may be evicted again.
        tiers.activate(99)
        assert 99 in tiers.slots


def test_wrong_steps_are_named():
    tiers = AdapterTiers(2, 3)
    with pytest.raises(ValueError, match="max_cpu_loras is 1"):
        AdapterTiers(2, 1)
    with pytest.raises(ValueError, match="names 3 distinct adapters"):
        tiers.activate_step([1, 2, 3])
    with pytest.raises(ValueError, match="walk is 'best', allowed: 'one by"):
        tiers.activate_step([1], "best")
    with pytest.raises(TypeError, match=r"adapter_ids is 1\.5"):
        tiers.activate_step([1.5])
    assert tiers.activate_step([-1, 1, 1, -1]) == {1: 0}
    assert tiers.slots == [1, None] and set(WALKS) == {
        "one by one", "residents first", "ideal",
    }  # fmt: skip
