"""The curve against one cache a slot count; Che against the curve."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora import traffic
from multilora.cache.fast import WORTH_REQUESTS, has_numba, use_numba
from multilora.cache.hitrate import (
    HitCounter,
    che_hit_curve,
    hit_rate_curve,
    lru_hit_curve,
)
from multilora.cache.reuse import FIRST_USE, reuse_depths
from multilora.cache.slots import AdapterSlotCache
from multilora.serving.steps import first_token_ms


def hits_of_one_cache(trace, max_loras):
    cache = AdapterSlotCache(max_loras)
    for adapter_id in trace:
        cache.activate(int(adapter_id))
    return cache.hits


@given(
    st.lists(st.integers(-1, 9), min_size=1, max_size=120).filter(
        lambda trace: max(trace) >= 0
    ),
    st.integers(0, 3),
)
def test_the_curve_is_one_cache_a_slot_count(trace, spare):
    num_adapters = len(set(trace) - {-1}) + spare
    curve = lru_hit_curve(trace, num_adapters)
    expected = [
        hits_of_one_cache(trace, slots) for slots in range(1, num_adapters + 1)
    ]
    assert curve.tolist() == expected
    assert (np.diff(curve) >= 0).all()


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


@pytest.mark.parametrize("num_adapters", [3, 700, 20_000])
def test_long_traces_are_cut_in_pieces_that_fit(num_adapters):
    """With 20,000 adapters the stack alone fills more than half a piece."""
    trace = traffic.zipf(90_000, num_adapters, 0.6)
    counter = HitCounter("plain")
    for part in np.array_split(trace, 7):
        counter.add(part)
    assert (counter.curve() == lru_hit_curve(trace)).all()
    for slots in (1, 2, num_adapters // 3 + 1):
        hits = hits_of_one_cache(trace.tolist(), slots)
        assert counter.curve()[slots - 1] == hits


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


def test_memory_grows_with_adapters_not_with_requests():
    """Three million requests leave a counter no larger than 50 do."""
    counter = HitCounter("plain")
    for seed in range(3):
        counter.add(traffic.zipf(1_000_000, 50, seed=seed))
    assert counter.num_requests == 3_000_000
    held = pickle.dumps(counter)
    assert len(held) < 5_000


def test_a_bad_piece_changes_nothing():
    counter = HitCounter("plain")
    counter.add([1, 2, 1])
    before = counter.curve().tolist()
    with pytest.raises(ValueError, match="trace is"):
        counter.add([1, -2])
    assert counter.curve().tolist() == before == [0, 1]
    assert counter.num_requests == 3


def test_the_bar_counts_every_request(capsys):
    HitCounter("plain").add([1, 2, 1], progress=True)
    assert "3.00/3.00" in capsys.readouterr().err


def test_numba_is_asked_for_by_name_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("multilora.cache.fast.has_numba", lambda: False)
    assert not use_numba("auto", 10**9)
    with pytest.raises(ModuleNotFoundError, match="engine is 'numba'"):
        use_numba("numba", 1)


def test_numba_starts_only_where_it_is_worth_it(monkeypatch):
    monkeypatch.setattr("multilora.cache.fast.has_numba", lambda: True)
    assert not use_numba("auto", WORTH_REQUESTS - 1)
    assert use_numba("auto", WORTH_REQUESTS)
    assert not use_numba("plain", 10**9)


def test_the_cliff_of_cyclic_traffic():
    curve = lru_hit_curve(traffic.cyclic(400, 16))
    assert curve[:15].tolist() == [0] * 15
    assert curve[15] == 400 - 16


def stationary_hit_rate(popularity, slots):
    """King's exact LRU hit rate for independent draws (1971), by brute force.

    Sums over every order in which the cache can hold its adapters.
    """
    total = 0.0
    for held in itertools.permutations(range(len(popularity)), slots):
        probability, rest = 1.0, 1.0
        for adapter_id in held:
            probability *= popularity[adapter_id] / rest
            rest -= popularity[adapter_id]
        total += probability * sum(popularity[i] for i in held)
    return total


@pytest.mark.parametrize("num_hot", [1, 2, 3, 4])
def test_long_traces_reach_the_exact_stationary_rate(num_hot):
    popularity = traffic.eighty_twenty_popularity(16, num_hot)
    trace = traffic.eighty_twenty(200_000, 16, num_hot, seed=1)
    measured = hit_rate_curve(trace, 16)[4 - 1]
    exact = stationary_hit_rate(popularity.tolist(), 4)
    assert measured == pytest.approx(exact, abs=0.006)


def test_how_many_are_hot_decides_the_eighty_twenty_claim():
    rates = {
        num_hot: hit_rate_curve(
            traffic.eighty_twenty(100_000, 16, num_hot), 16
        )[3]
        for num_hot in (2, 3, 4)
    }
    assert rates[2] > 0.75 > rates[3] > rates[4]
    assert rates[3] == pytest.approx(0.715, abs=0.01)
    assert rates[4] == pytest.approx(0.596, abs=0.01)


@pytest.mark.parametrize("num_adapters", [16, 100])
@pytest.mark.parametrize("exponent", [0, 0.8, 1.2])
def test_che_is_right_for_independent_draws(num_adapters, exponent):
    trace = traffic.zipf(60_000, num_adapters, exponent)
    che = che_hit_curve(traffic.zipf_popularity(num_adapters, exponent))
    exact = hit_rate_curve(trace, num_adapters)
    assert abs(che - exact).max() < 0.02


def test_che_solves_its_own_equation():
    p = traffic.zipf_popularity(30, 1.0)
    for slots, rate in enumerate(che_hit_curve(p)[:-1], 1):
        low, high = 0.0, 1e6
        for _ in range(200):
            middle = (low + high) / 2
            if (1 - np.exp(-p * middle)).sum() < slots:
                low = middle
            else:
                high = middle
        assert rate == pytest.approx(
            (p * (1 - np.exp(-p * low))).sum(), abs=1e-4
        )


def test_che_loses_its_grip_under_strong_skew():
    trace = traffic.zipf(60_000, 16, 2.0)
    che = che_hit_curve(traffic.zipf_popularity(16, 2.0))
    error = abs(che - hit_rate_curve(trace, 16)).max()
    assert 0.02 < error < 0.05


def test_che_fails_off_independent_draws():
    popularity = traffic.uniform_popularity(50)
    che = che_hit_curve(popularity)
    sticky = hit_rate_curve(traffic.sticky(20_000, 50), 50)
    cyclic = hit_rate_curve(traffic.cyclic(20_000, 50), 50)
    assert abs(sticky - che).max() > 0.3
    assert abs(cyclic - che).max() > 0.9


def test_che_with_adapters_that_are_never_asked():
    curve = che_hit_curve([3, 1, 0])
    assert curve[1:].tolist() == [1, 1]
    assert che_hit_curve([2.0]).tolist() == [1]


def test_a_miss_costs_its_load():
    ttft = first_token_ms([1, 1, 2, -1, 1], 1, warm_ms=40, load_ms=110)
    assert ttft.tolist() == [150, 40, 150, 150]


@given(st.lists(st.integers(0, 7), min_size=1, max_size=80), st.integers(1, 9))
def test_a_request_is_cold_where_the_cache_misses(trace, max_loras):
    cache, expected = AdapterSlotCache(max_loras), []
    for adapter_id in trace:
        misses = cache.misses
        cache.activate(adapter_id)
        expected.append(40.0 + 110.0 * (cache.misses - misses))
    assert first_token_ms(trace, max_loras, 40, 110).tolist() == expected


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (lru_hit_curve, ([],), "trace is"),
        (lru_hit_curve, ([[1, 2]],), "trace is"),
        (lru_hit_curve, ([1.5],), "trace is"),
        (lru_hit_curve, ([-2],), "trace is"),
        (lru_hit_curve, ([-1, -1],), "base requests only"),
        (lru_hit_curve, (None,), "trace is None"),
        (lru_hit_curve, ([1, 2, 3], 2), "num_adapters is 2"),
        (lru_hit_curve, ([1, 2], 2.5), "num_adapters is 2.5"),
        (HitCounter, ("cython",), "engine is 'cython'"),
        (che_hit_curve, ([],), "popularity has shape"),
        (che_hit_curve, ([-1, 2],), "popularity is"),
        (che_hit_curve, ([0, 0],), "popularity is"),
        (che_hit_curve, ([np.nan, 1],), "popularity holds 1 NaN"),
        (che_hit_curve, (["a"],), "popularity is"),
        (first_token_ms, ([1], 1, -1, 0), "warm_ms is -1"),
    ],
)
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        function(*arguments)


@pytest.mark.parametrize(
    ("trace", "named"),
    [
        (np.array([2**63, 1], "u8"), "trace holds 9223372036854775808"),
        (np.ma.array([1, 2], mask=[0, 1]), "trace is a MaskedArray"),
    ],
)
def test_ids_that_int64_cannot_hold_are_refused(trace, named):
    """Beside int64 numpy makes them floats, in which neighbours are equal."""
    with pytest.raises((ValueError, TypeError), match=named):
        HitCounter("plain").add(trace)


def test_neighbours_beyond_a_floats_precision_stay_apart():
    counter = HitCounter("plain")
    counter.add([2**53, 2**53 + 1])
    counter.add(np.array([2**53 + 1], "u8"))
    assert counter.curve().tolist() == [1, 1]


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
