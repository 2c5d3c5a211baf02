"""The cache against a list, the walk's invariants, published examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import AdapterSlotCache, Request, schedule_step
from multilora.published import published
from multilora.serving.steps import Job

ids = st.integers(-1, 7)
queues = st.lists(ids, max_size=25).map(
    lambda adapters: [Request(f"q{n}", a) for n, a in enumerate(adapters)]
)


class ListCache:
    """LRU with a plain list, slots and all: slow and obvious."""

    def __init__(self, max_loras):
        self.slots, self.order = [None] * max_loras, []
        self.hits = self.misses = self.evictions = 0

    def activate(self, adapter_id):
        if adapter_id == -1:
            return -1
        if adapter_id in self.slots:
            self.hits += 1
            self.order.remove(adapter_id)
        else:
            self.misses += 1
            if None not in self.slots:
                self.evictions += 1
                self.slots[self.slots.index(self.order.pop(0))] = None
            self.slots[self.slots.index(None)] = adapter_id
        self.order.append(adapter_id)
        return self.slots.index(adapter_id)


@given(st.integers(1, 6), st.lists(ids, max_size=80))
def test_the_cache_is_the_list_cache(max_loras, trace):
    cache, plain = AdapterSlotCache(max_loras), ListCache(max_loras)
    for adapter_id in trace:
        assert cache.activate(adapter_id) == plain.activate(adapter_id)
        assert cache.slots == plain.slots
    counts = [(c.hits, c.misses, c.evictions) for c in (cache, plain)]
    assert counts[0] == counts[1]
    total = cache.hits + cache.misses
    assert cache.hit_rate == (cache.hits / total if total else 0.0)


@given(queues, st.lists(ids, max_size=4), st.integers(1, 5))
def test_one_walk_keeps_every_invariant(waiting, running_ids, max_loras):
    running = [Request(f"r{n}", a) for n, a in enumerate(running_ids)]
    if len(set(running_ids) - {-1}) > max_loras:
        with pytest.raises(ValueError, match="running holds"):
            schedule_step(waiting, running, max_loras)
        return
    admitted, deferred = schedule_step(waiting, running, max_loras)
    # Together they are the queue, each in its order.
    position = {request: n for n, request in enumerate(waiting)}
    for part in (admitted, deferred):
        assert [position[r] for r in part] == sorted(position[r] for r in part)
    assert sorted(admitted + deferred) == sorted(waiting)
    # What runs fits the slots; the base always passes.
    active = {a for _, a in running + admitted} - {-1}
    assert len(active) <= max_loras
    assert all(adapter_id != -1 for _, adapter_id in deferred)
    # Nobody is deferred without need: the slots are full, and not with his.
    for _, adapter_id in deferred:
        assert len(active) == max_loras
        assert adapter_id not in active


@given(queues, st.integers(1, 5), st.integers(1, 6))
def test_seats_cut_the_walk_short(waiting, max_loras, max_num_seqs):
    admitted, deferred = schedule_step(waiting, [], max_loras, max_num_seqs)
    unlimited, _ = schedule_step(waiting, [], max_loras)
    assert admitted == unlimited[:max_num_seqs]
    assert sorted(admitted + deferred) == sorted(waiting)


def test_requests_may_be_tuples_or_things_with_an_adapter_id():
    jobs = [Job("a", 1, 0, 1), Job("b", 2, 0, 1), Job("c", 1, 0, 1)]
    admitted, deferred = schedule_step(jobs, [], 1)
    assert (admitted, deferred) == ([jobs[0], jobs[2]], [jobs[1]])


def test_the_published_example_before_and_after():
    example = published("worked_examples")["vllm_15422"]
    queue = [Request(f"R{n}", a) for n, a in enumerate(example["adapters"], 1)]
    admitted, deferred = schedule_step(queue, [], example["max_loras"])
    assert [name for name, _ in admitted] == example["admitted"]
    assert [name for name, _ in deferred] == example["deferred"]
    # Before the change the walk stopped at the first that did not fit.
    first = queue.index(deferred[0])
    before = [name for name, _ in queue[:first]]
    assert before == example["admitted_before_the_change"]


def test_the_published_starvation_of_b():
    example = published("worked_examples")["sglang_15129"]
    ids = {"A": 1, "B": 2}
    queue = [
        Request(f"{name}{n}", ids[name])
        for n, name in enumerate(example["queue"])
    ]
    admitted, deferred = schedule_step(queue, [], example["max_loras"])
    assert [name[0] for name, _ in admitted] == ["A"] * 7
    assert [name for name, _ in deferred] == ["B1"]


@pytest.mark.parametrize("adapter_id", [-2, 1.0, None, "sql", True])
def test_bad_adapter_ids_change_nothing(adapter_id):
    cache = AdapterSlotCache(2)
    cache.activate(1)
    with pytest.raises((ValueError, TypeError), match="adapter_id is"):
        cache.activate(adapter_id)
    assert (cache.slots, cache.hits, cache.misses) == ([1, None], 0, 1)


@pytest.mark.parametrize("max_loras", [0, -1, 1.5, None, "8"])
def test_bad_max_loras_is_named(max_loras):
    for call in (AdapterSlotCache, lambda n: schedule_step([], [], n)):
        with pytest.raises((ValueError, TypeError), match="max_loras is"):
            call(max_loras)


@pytest.mark.parametrize(
    ("waiting", "running", "named"),
    [
        (None, [], "waiting is None"),
        ([], 7, "running is 7"),
        (["ab"], [], "waiting holds 'ab'"),
        ([("a", 1, 2)], [], "waiting holds"),
        ([("a", "sql")], [], "waiting holds"),
        ([("a", -2)], [], "adapter_id of .* in waiting is -2"),
        ([], [("a", 1), ("b", 2), ("c", 3)], "running holds 3 distinct"),
    ],
)
def test_bad_queues_are_named(waiting, running, named):
    with pytest.raises((ValueError, TypeError), match=named):
        schedule_step(waiting, running, 2)
