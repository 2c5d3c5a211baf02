"""The curve against one cache a slot count."""

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora import traffic
from multilora.cache.hitrate import HitCounter, hit_rate_curve, lru_hit_curve
from multilora.cache.slots import AdapterSlotCache


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
