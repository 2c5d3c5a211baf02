"""Policies against plain lists and an exhaustive search."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from list_policies import (
    fewest_uses,
    furthest_next_use,
    hits_of,
    oldest_load,
    oldest_use,
    sieve_by_the_paper,
)
from multilora import traffic
from multilora.cache.hitrate import lru_hit_curve
from multilora.cache.policies import (
    POLICIES,
    policy_hits,
    policy_table,
    vllm_hits,
)
from multilora.cache.walks import WALKS

traces = st.lists(st.integers(0, 9), min_size=1, max_size=150)
tiny_traces = st.lists(st.integers(0, 4), min_size=1, max_size=12)
slot_counts = st.integers(1, 8)
BY_HAND = [0, 1, 1, 2, 0, 2, 3, 0, 3]


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
