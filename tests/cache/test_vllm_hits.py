"""vLLM's hits: each step walked as a set, or residents first."""

from hypothesis import given
from hypothesis import strategies as st

from list_policies import hits_of, oldest_use
from multilora.cache.policies import policy_hits, vllm_hits
from multilora.cache.walks import WALKS, SetOrder

traces = st.lists(st.integers(0, 9), min_size=1, max_size=150)
slot_counts = st.integers(1, 8)


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
