"""Reuse depths against a list; numba counts what numpy counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora import traffic
from multilora.cache.fast import has_numba
from multilora.cache.hitrate import HitCounter
from multilora.cache.reuse import FIRST_USE, reuse_depths


def depths_by_a_list(trace):
    """Move to front, one list: the plainest form of the same numbers."""
    stack, depths = [], []
    for adapter_id in trace:
        depth = FIRST_USE
        if adapter_id in stack:
            depth = stack.index(adapter_id)
            stack.remove(adapter_id)
        stack.insert(0, adapter_id)
        depths.append(depth)
    return depths


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=300),
    st.sampled_from([1, 70_000, 10**12]),
)
def test_depths_are_those_of_a_list(trace, factor):
    """Ids of 16 bits, more, and far more take different roads to sort."""
    trace = [adapter_id * factor for adapter_id in trace]
    assert reuse_depths(trace).tolist() == depths_by_a_list(trace)


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@settings(deadline=None)
@given(
    st.integers(1, 9_000),
    st.integers(1, 20_000),
    st.floats(0, 2),
    st.sampled_from([1, 10**9]),
    st.integers(1, 4),
)
def test_numba_counts_what_numpy_counts(
    num_adapters, num_requests, skew, factor, num_parts
):
    trace = traffic.zipf(num_requests, num_adapters, skew) * factor
    plain, fast = HitCounter("plain"), HitCounter("numba")
    for part in np.array_split(trace, num_parts):
        if len(part):
            plain.add(part)
            fast.add(part)
    assert (plain.curve() == fast.curve()).all()
    assert plain.num_requests == fast.num_requests == num_requests


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
def test_small_ids_may_be_followed_by_large_ones():
    plain, fast = HitCounter("plain"), HitCounter("numba")
    for part in ([3, 1, 3], [10**15, 1, 3, 10**15], [2, 10**8, 1]):
        plain.add(part)
        fast.add(part)
    assert plain.curve().tolist() == fast.curve().tolist()


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@pytest.mark.parametrize("largest", [5, 10**6 - 1, 10**6, 2**62])
def test_numba_takes_ids_of_any_size_in_any_piece(largest):
    pieces = [[3, 1, largest], [1, 10**12, 3], [10**12, largest, 4]]
    plain, fast = HitCounter("plain"), HitCounter("numba")
    for piece in pieces:
        plain.add(piece)
        fast.add(piece)
        assert fast.curve().tolist() == plain.curve().tolist()
