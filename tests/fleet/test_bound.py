"""No routing, no eviction and no order beats the bounds."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.cache.policies import belady_hits, lru_hits
from multilora.fleet.bound import (
    least_busiest,
    least_loads,
    least_loads_in_order,
)
from multilora.fleet.loads import engine_loads
from multilora.fleet.turns import in_turn

TRACES = st.lists(st.integers(0, 5), min_size=1, max_size=60)


def loads_of(trace, engines, num_slots, hits=lru_hits):
    """Loads where request i goes to engines[i], in the order of the trace."""
    parts = [
        [a for a, e in zip(trace, engines, strict=True) if e == engine]
        for engine in set(engines)
    ]
    return len(trace) - sum(hits(part, num_slots) for part in parts)


@given(TRACES, st.integers(1, 3), st.integers(1, 3), st.data())
def test_no_routing_in_order_loads_less(trace, num_engines, slots, data):
    engines = data.draw(
        st.lists(
            st.integers(0, num_engines - 1),
            min_size=len(trace),
            max_size=len(trace),
        )
    )
    bound = least_loads_in_order(trace, num_engines * slots)
    assert len(set(trace)) <= bound <= loads_of(trace, engines, slots)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=7))
def test_the_best_of_all_routings_is_at_or_above_it(trace):
    best = min(
        loads_of(trace, engines, 1, belady_hits)
        for engines in product(range(2), repeat=len(trace))
    )
    assert least_loads_in_order(trace, 2) <= best


@given(
    TRACES, st.integers(1, 3), st.integers(1, 2), st.floats(0, 9), st.data()
)
def test_no_order_within_the_wait_loads_less(
    trace, num_engines, slots, wait, data
):
    """Request i arrives at second i and starts up to `wait` s later."""
    starts = [
        (second + data.draw(st.floats(0, 1)) * wait, adapter_id)
        for second, adapter_id in enumerate(trace)
    ]
    played = [adapter_id for _, adapter_id in sorted(starts)]
    engines = [data.draw(st.integers(0, num_engines - 1)) for _ in played]
    bound = least_loads(range(len(trace)), trace, num_engines * slots, wait)
    assert bound <= loads_of(played, engines, slots)


def test_a_wait_lets_requests_of_one_adapter_run_together():
    """A B A B A B in one slot: five more loads in order, one with patience."""
    trace, seconds = [0, 1] * 3, [0.0, 1, 2, 3, 4, 5]
    assert least_loads_in_order(trace, 1) == 6
    assert least_loads(seconds, trace, 1, 0.5) == 4
    assert least_loads(seconds, trace, 1, 60) == 2
    assert loads_of([0, 0, 0, 1, 1, 1], [0] * 6, 1) == 2


def test_the_base_needs_no_slot():
    assert least_loads_in_order([-1, 0, -1, 0], 1) == 1
    assert least_loads([0, 1, 2], [-1, -1, -1], 1, 0) == 0


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    st.integers(1, 3),
    st.data(),
)
def test_no_placement_is_less_busy(loads, num, data):
    counts = [data.draw(st.integers(1, num)) for _ in loads]
    found = engine_loads(in_turn(loads, counts, num), loads, num)
    bound = least_busiest(loads, num, counts)
    assert least_busiest(loads, num) <= bound <= max(found) + 1e-9
    if set(counts) == {1}:
        best = min(
            max(engine_loads([[k] for k in way], loads, num))
            for way in product(range(num), repeat=len(loads))
        )
        assert bound <= best + 1e-9


def test_four_equal_tenants_on_three_engines_share_one():
    assert least_busiest([1] * 4, 3) == pytest.approx(4 / 3)
    assert least_busiest([1] * 4, 3, [1] * 4) == 2
    assert least_busiest([2.5, *[0.1] * 9], 4, [3, *[1] * 9]) == (
        pytest.approx(0.85)
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: least_loads_in_order([0], 0), "num_slots is 0"),
        (lambda: least_loads([0, 1], [0], 1, 0), "arrival_s has shape"),
        (lambda: least_loads([1, 0], [0, 1], 1, 0), "arrival_s must ascend"),
        (lambda: least_loads([0], [-2], 1, 0), "adapter_ids holds -2"),
        (lambda: least_loads([0], [0], 1, -1), "max_wait_s is -1"),
        (lambda: least_busiest([1], 1, [2]), "counts holds 2 replicas"),
    ],
)
def test_what_cannot_be_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
