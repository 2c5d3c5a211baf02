"""Who shares an engine: nobody is lost, no engine is empty, loads are even."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.fleet.placement import balanced, by_rank

LOADS = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@given(LOADS, st.data())
def test_each_tenant_is_on_one_engine_and_none_is_empty(loads, data):
    num = data.draw(st.integers(1, len(loads)))
    ranks = data.draw(
        st.lists(
            st.sampled_from([8, 16, 64]),
            min_size=len(loads),
            max_size=len(loads),
        )
    )
    for groups in (balanced(loads, num), by_rank(loads, ranks, num)):
        assert len(groups) == num and all(groups)
        placed = sorted(tenant for group in groups for tenant in group)
        assert placed == list(range(len(loads)))


@given(LOADS, st.data())
def test_balanced_is_the_plain_greedy_loop(loads, data):
    num = data.draw(st.integers(1, len(loads)))
    groups = [[] for _ in range(num)]
    for tenant in sorted(range(len(loads)), key=lambda t: (-loads[t], t)):
        sums = [(sum(loads[t] for t in g), len(g)) for g in groups]
        groups[min(range(num), key=lambda k: sums[k])].append(tenant)
    assert balanced(loads, num) == [sorted(group) for group in groups]


def test_high_ranks_share_an_engine():
    """Four wide tenants of forty: one engine of three has them all."""
    ranks = [16] * 36 + [64] * 4
    groups = by_rank(np.ones(40), ranks, 3)
    assert {36, 37, 38, 39} <= set(groups[0])
    assert [len(group) for group in groups] == [14, 13, 13]


@given(LOADS, st.data())
def test_by_rank_cuts_the_tenants_in_order_of_rank(loads, data):
    ranks = data.draw(
        st.lists(st.integers(1, 512), min_size=len(loads), max_size=len(loads))
    )
    num = data.draw(st.integers(1, len(loads)))
    groups = by_rank(loads, ranks, num)
    for wide, narrow in pairwise(groups):
        assert min(ranks[t] for t in wide) >= max(ranks[t] for t in narrow)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: balanced([], 1), "loads is"),
        (lambda: balanced([1, 2], 3), "num_engines is 3"),
        (lambda: balanced([1, -2], 1), "loads holds -2"),
        (lambda: balanced([1, float("nan")], 1), "loads holds 1 NaN"),
        (lambda: by_rank([1, 2], [8], 1), "ranks holds 1"),
    ],
)
def test_what_cannot_be_placed_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
