"""Policies against plain lists, an exhaustive search and libcachesim."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora import traffic
from multilora.cache.hitrate import lru_hit_curve
from multilora.cache.policies import (
    POLICIES,
    policy_hits,
    policy_table,
    vllm_hits,
)
from multilora.cache.walks import WALKS, SetOrder
from multilora.figures.policies import (
    SLOTS,
    TRACES,
    draws,
    mean_rate,
    policies_table,
)

traces = st.lists(st.integers(0, 9), min_size=1, max_size=150)
tiny_traces = st.lists(st.integers(0, 4), min_size=1, max_size=12)
slot_counts = st.integers(1, 8)
BY_HAND = [0, 1, 1, 2, 0, 2, 3, 0, 3]


def hits_of(trace, num_slots, victim):
    """Hits of a list, oldest load first, from which victim(...) leaves.

    victim(now, cache, past) returns an adapter of the cache; past holds, for
    each cached adapter, the times of its load and of its uses since.
    """
    past, hits = {}, 0
    for now, adapter_id in enumerate(trace):
        if adapter_id in past:
            hits += 1
        elif len(past) == num_slots:
            del past[victim(now, list(past), past)]
        past.setdefault(adapter_id, []).append(now)
    return hits


def oldest_use(now, cache, past):
    return min(cache, key=lambda item: past[item][-1])


def oldest_load(now, cache, past):
    return cache[0]


def fewest_uses(now, cache, past):
    return min(cache, key=lambda item: (len(past[item]), past[item][-1]))


def sieve_by_the_paper(trace, num_slots):
    """Algorithm 1 of the paper, the queue as a list with its head in front."""
    queue, visited, hits, hand = [], {}, 0, None
    for adapter_id in trace:
        if adapter_id in queue:
            visited[adapter_id] = True
            hits += 1
            continue
        if len(queue) == num_slots:
            looked_at = queue[-1] if hand is None else hand
            while visited[looked_at]:
                visited[looked_at] = False
                ahead = before(queue, looked_at)
                looked_at = queue[-1] if ahead is None else ahead
            hand = before(queue, looked_at)
            queue.remove(looked_at)
        queue.insert(0, adapter_id)
        visited[adapter_id] = False
    return hits


def before(queue, item):
    """The neighbour towards the head, None for the head itself."""
    place = queue.index(item)
    return queue[place - 1] if place else None


def furthest_next_use(trace):
    def victim(now, cache, past):
        rest = trace[now:]
        return max(
            cache, key=lambda i: rest.index(i) if i in rest else math.inf
        )

    return victim


@given(traces, slot_counts)
def test_each_policy_is_its_list(trace, num_slots):
    expected = {
        "lru": hits_of(trace, num_slots, oldest_use),
        "fifo": hits_of(trace, num_slots, oldest_load),
        "lfu": hits_of(trace, num_slots, fewest_uses),
        "sieve": sieve_by_the_paper(trace, num_slots),
        "belady": hits_of(trace, num_slots, furthest_next_use(trace)),
    }
    for policy, hits in expected.items():
        assert policy_hits(trace, num_slots, policy) == hits, policy


@given(traces)
def test_lru_is_the_exact_curve_at_every_slot_count(trace):
    curve = lru_hit_curve(trace)
    for num_slots, hits in enumerate(curve.tolist(), 1):
        assert policy_hits(trace, num_slots, "lru") == hits


def most_hits(trace, num_slots):
    """Hits of the luckiest choice of victims: every choice is tried."""
    reached = {frozenset(): 0}  # what can be cached now -> most hits so far
    for adapter_id in trace:
        following = {}
        for cache, hits in reached.items():
            is_hit = adapter_id in cache
            leavers = cache if len(cache) == num_slots else [None]
            for leaver in [None] if is_hit else leavers:
                after = (cache - {leaver}) | {adapter_id}
                best = following.get(after, 0)
                following[after] = max(best, hits + is_hit)
        reached = following
    return max(reached.values())


@given(tiny_traces, st.integers(1, 4))
def test_nothing_beats_belady(trace, num_slots):
    """Every sequence of victims was tried, and the best one is Belady's."""
    assert policy_hits(trace, num_slots, "belady") == most_hits(
        trace, num_slots
    )


@given(traces, slot_counts, st.integers(1, 20), st.integers(0, 3))
def test_belady_bounds_every_other(trace, num_slots, rows_per_step, seed):
    """vLLM's too: a step loads at least what was absent, in any order."""
    bound = policy_hits(trace, num_slots, "belady")
    assert bound <= len(trace) - len(set(trace))
    for policy in POLICIES:
        assert policy_hits(trace, num_slots, policy) <= bound, policy
    for walk in WALKS:
        hits = vllm_hits(trace, num_slots, rows_per_step, seed, walk)
        assert 0 <= hits <= bound


@given(traces, slot_counts, st.integers(0, 5), st.sampled_from(list(WALKS)))
def test_vllm_with_a_request_a_step_is_lru(trace, num_slots, seed, walk):
    hits = vllm_hits(trace, num_slots, rows_per_step=1, seed=seed, walk=walk)
    assert hits == policy_hits(trace, num_slots, "lru")


def steps_of(trace, num_slots, rows_per_step):
    """The trace in pieces, each as long as both limits let it be."""
    rest = list(trace)
    while rest:
        size = 1
        while (
            size < min(len(rest), rows_per_step)
            and len(set(rest[: size + 1])) <= num_slots
        ):
            size += 1
        yield rest[:size]
        rest = rest[size:]


@given(traces, slot_counts, st.integers(1, 20), st.integers(0, 3))
def test_vllm_walks_its_steps(trace, num_slots, rows_per_step, seed):
    """One by one: LRU of each step's set order, adapters once a step."""
    walked = walked_in_set_order(trace, num_slots, rows_per_step, seed)
    one_by_one = [adapter_id for step in walked for adapter_id in step]
    misses = len(one_by_one) - hits_of(one_by_one, num_slots, oldest_use)
    hits = vllm_hits(trace, num_slots, rows_per_step, seed)
    assert hits == len(trace) - misses


@given(traces, slot_counts, st.integers(1, 20), st.integers(0, 3))
def test_residents_first_loads_the_absent_once(
    trace, num_slots, rows_per_step, seed
):
    """A step's loads are the adapters that had no slot when it began."""
    order, loads = [], 0  # oldest use first
    for step in walked_in_set_order(trace, num_slots, rows_per_step, seed):
        absent = [item for item in step if item not in order]
        loads += len(absent)
        here = [item for item in step if item in order]
        order = [item for item in order if item not in step] + here + absent
        order = order[-num_slots:]
    hits = vllm_hits(trace, num_slots, rows_per_step, seed, "residents first")
    assert hits == len(trace) - loads


def walked_in_set_order(trace, num_slots, rows_per_step, seed):
    """The distinct adapters of each step as a set of the seed gives them."""
    distinct = sorted(set(trace))
    in_set_order = SetOrder(len(distinct), seed)
    for step in steps_of(trace, num_slots, rows_per_step):
        ids = [distinct.index(item) for item in dict.fromkeys(step)]
        yield [distinct[item] for item in in_set_order(ids)]


@pytest.mark.parametrize(
    ("policy", "hits"),
    [
        # + is a hit, and in brackets stands who leaves.
        # 0 1 1+ 2(0) 0(1) 2+ 3(0) 0(2) 3+
        ("lru", 3),
        # 0 1 1+ 2(0) 0(1) 2+ 3(2) 0+ 3+
        ("fifo", 4),
        # 0 1 1+ 2(0) 0(2) 2(0) 3(2) 0(3) 3(0): 1 keeps its count of 2
        ("lfu", 1),
        # 0 1 1+ 2(0) 0(2: the hand unmarks 1, and starts over) 2(1) 3(0)
        # 0(2) 3+
        ("sieve", 2),
        # 0 1 1+ 2(1) 0+ 2+ 3(2) 0+ 3+
        ("belady", 5),
    ],
)
def test_the_worked_example(policy, hits):
    """Two slots and 0 1 1 2 0 2 3 0 3 by hand: no two policies agree."""
    assert policy_hits(BY_HAND, 2, policy) == hits


def test_a_newcomer_walked_first_costs_a_load_more():
    """Two slots hold 0 and 1; the second step is 2 and 1, in either order."""
    trace = [0, 1, 2, 1]
    orders = {seed: SetOrder(3, seed)([2, 1]) for seed in range(20)}
    starts = {seed: SetOrder(3, seed)([0, 1]) for seed in range(20)}
    assert {tuple(order) for order in orders.values()} == {(1, 2), (2, 1)}
    for seed in range(20):
        # 2 evicts 1 if it comes first and 1 was the older one.
        is_cascade = orders[seed] == [2, 1] and starts[seed] == [1, 0]
        assert vllm_hits(trace, 2, seed=seed) == (0 if is_cascade else 1)
        assert vllm_hits(trace, 2, seed=seed, walk="residents first") == 1


def test_the_table_is_policy_hits_as_a_share():
    trace = traffic.zipf(500, 12)
    slots = [1, 3, 12, 50]
    table = policy_table(trace, slots)
    assert list(table) == list(POLICIES)
    for policy, rates in table.items():
        assert rates == [policy_hits(trace, n, policy) / 500 for n in slots]
        assert all(type(rate) is float for rate in rates)
        assert rates[-2] == rates[-1] == (500 - len(set(trace))) / 500
    only = policy_table([*trace, -1, -1], [3], ["lru"])
    assert only == {"lru": [table["lru"][1]]}


def test_the_pictures_show_means_over_draws():
    first, second = draws("drift", 12, 2)
    assert first.tolist() == traffic.drift(len(first), 12, seed=0).tolist()
    assert second.tolist() == traffic.drift(len(first), 12, seed=1).tolist()
    hits = [policy_hits(trace, 4, "lfu") for trace in draws("drift", 12)]
    mean = sum(hits) / len(hits) / len(first)
    assert mean_rate(POLICIES["lfu"], "drift", 12, 4) == pytest.approx(mean)
    table = policies_table("drift", 12)
    assert table["lfu"][SLOTS.index(4)] == pytest.approx(mean)
    assert {len(rates) for rates in table.values()} == {len(SLOTS)}
    with pytest.raises(ValueError, match="traffic is 'rush', allowed: 'st"):
        draws("rush", 12)
    with pytest.raises(ValueError, match="num_draws is 0"):
        draws("drift", 12, 0)


def test_no_policy_wins_everywhere():
    """What the chapter says, at 8 slots and 40 adapters."""
    rate = {
        (shape, policy): policies_table(shape, 40)[policy][SLOTS.index(8)]
        for shape in TRACES
        for policy in POLICIES
    }
    online = [policy for policy in POLICIES if policy != "belady"]
    leaders = {
        shape: max(online, key=lambda policy: rate[shape, policy])
        for shape in ("sessions", "80/20", "zipf", "drift")
    }
    assert leaders == {
        "sessions": "lru", "80/20": "lfu", "zipf": "lfu", "drift": "sieve",
    }  # fmt: skip
    for worst_of in ("sessions", "drift"):
        others = [rate[worst_of, p] for p in online if p != "lfu"]
        assert rate[worst_of, "lfu"] < min(others) - 0.05
    assert all(rate["cyclic", policy] == 0 for policy in online)
    assert rate["cyclic", "belady"] > 0.15


@pytest.mark.parametrize("policy", POLICIES)
def test_base_rows_and_wide_ids_change_nothing(policy):
    trace = traffic.zipf(300, 9).tolist()
    expected = policy_hits(trace, 3, policy)
    with_base = [item for pair in zip(trace, [-1] * 300, strict=True)
                 for item in pair]  # fmt: skip
    assert policy_hits(with_base, 3, policy) == expected
    wide = np.array(trace) + 10**15
    assert policy_hits(wide, 3, policy) == expected


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (([], 2), "trace is"),
        (([1.5], 2), "trace is"),
        (([-2], 2), "trace is"),
        (([-1], 2), "base requests only"),
        ((None, 2), "trace is None"),
        (([1], 0), "num_slots is 0"),
        (([1], 2.5), "num_slots is 2.5"),
        (([1], True), "num_slots is True"),
    ],
)
def test_bad_input_is_named(policy, arguments, named):
    for function in (POLICIES[policy], lambda *a: policy_hits(*a, policy)):
        with pytest.raises((ValueError, TypeError), match=named):
            function(*arguments)


def test_an_unknown_policy_or_walk_is_named():
    with pytest.raises(ValueError, match="policy is 'best', allowed: 'lru'"):
        policy_hits([1], 2, "best")
    with pytest.raises(ValueError, match="policy is 'best', allowed: 'lru'"):
        policy_table([1], [2], ["best"])
    with pytest.raises(TypeError, match="policies is 'lru'"):
        policy_table([1], [2], "lru")
    with pytest.raises(TypeError, match="slots is 3"):
        policy_table([1], 3)
    with pytest.raises(ValueError, match="walk is 'best', allowed: 'one by"):
        vllm_hits([1], 2, walk="best")
    with pytest.raises(ValueError, match="rows_per_step is 0"):
        vllm_hits([1], 2, rows_per_step=0)
    with pytest.raises(ValueError, match="seed is -1"):
        vllm_hits([1], 2, seed=-1)


NUM_IDS = 200
PEER_TRACES = {
    "zipf": traffic.zipf(20_000, NUM_IDS),
    "sticky": traffic.sticky(20_000, NUM_IDS, num_sessions=6),
    "cyclic": traffic.cyclic(20_000, NUM_IDS),
}
PEER_SLOTS = (2, 4, 8, 16, 64)


@pytest.fixture(scope="module")
def peers():
    """The wrapper around libcachesim, if that is installed."""
    return pytest.importorskip(
        "peer_caches", reason="needs libcachesim: make test-peers"
    )


@pytest.mark.peers
@pytest.mark.parametrize("shape", PEER_TRACES)
def test_libcachesim_counts_the_same_hits(peers, tmp_path, shape):
    """Five policies of libcachesim 0.3.5, hit for hit.

    No allowance was needed: its LFU too lets the least recently used leave
    among equals, and its Belady loads every miss.
    """
    path = tmp_path / "trace.bin"
    peers.write_trace(path, PEER_TRACES[shape])
    reader = peers.open_trace(path)
    for policy in peers.PEERS:
        for num_slots in PEER_SLOTS:
            theirs = peers.libcachesim_hits(reader, policy, num_slots, NUM_IDS)
            ours = policy_hits(PEER_TRACES[shape], num_slots, policy)
            assert ours == theirs, (policy, num_slots)


@pytest.mark.peers
def test_a_written_trace_holds_what_was_asked(peers, tmp_path):
    peers.write_trace(tmp_path / "trace.bin", [5, -1, 0, 5, 0, 7])
    records = np.fromfile(tmp_path / "trace.bin", peers.RECORD)
    assert records["id"].tolist() == [5, 0, 5, 0, 7]
    assert records["next_use"].tolist() == [2, 3, -1, -1, -1]
    assert all(now < then for now, then in pairwise(records["time"].tolist()))


@pytest.mark.peers
@pytest.mark.parametrize(
    ("policy", "num_slots", "end"),
    [
        ("S3FIFO", 8, "SIGABRT"),
        ("S3FIFO", 16, 0),
        ("WTinyLFU", 4, "SIGABRT"),
        ("WTinyLFU", 64, 0),
        ("Clock2QPlus", 16, 0),
        ("SLRU", 2, 0),
        ("TwoQ", 2, 0),
    ],
)
def test_not_every_cache_of_libcachesim_is_meant_to_be_small(
    peers, tmp_path, policy, num_slots, end
):
    """Why no figure of ours shows these: 40 adapters, popular ones too.

    Each runs in its own process, since an abort takes the test with it. A
    cache with a slot for every adapter misses each once; any policy that
    loads what it misses hits a repeated request.
    """
    path = tmp_path / "trace.bin"
    peers.write_trace(path, np.repeat(traffic.zipf(1_000, 40), 2))
    assert peers.hits_apart(path, policy, num_slots, 40) == end
    assert peers.hits_apart(path, "lru", num_slots, 40) >= 1_000


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore")  # of torch and vLLM
def test_a_pinned_adapter_leaves_a_step_short(tmp_path):
    """vLLM's pin_lora keeps a slot, but its scheduler counts all slots.

    Two slots, 1 is pinned; a step of 2 and 3 fits max_loras. 3 evicts 2,
    and the lookup of 2's slot fails.
    """
    from vllm.lora.layers import LoRAMapping

    from multilora import tenants
    from multilora.engine.bare import BareLoRA
    from multilora.engine.dummies import write_adapter
    from multilora.models.shapes import ModelShape

    base = tenants.folder_of("base")
    write_adapter(tmp_path / "any", ModelShape.from_config(base), 8)
    bare = BareLoRA(base, max_loras=2, max_cpu_loras=9)
    bare.add(tmp_path / "any", [1, 2, 3])
    bare.step([1])
    bare.worker.pin_adapter(1)
    assert bare.step([2, 3])[0] == [1, 3]
    with pytest.raises(KeyError, match="2"):
        bare.manager.set_adapter_mapping(LoRAMapping((2, 3), (2, 3), True))
