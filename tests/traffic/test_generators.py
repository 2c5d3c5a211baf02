"""Traces have the rate, the mix and the variance that they claim."""

import numpy as np
import pytest

from multilora import traffic
from multilora.cache.slots import AdapterSlotCache

N = 60_000


def shares(ids, num_adapters):
    return np.bincount(ids, minlength=num_adapters) / len(ids)


def spread(p):
    """Five standard deviations of a share of N independent draws."""
    return 5 * np.sqrt(p * (1 - p) / N)


@pytest.mark.parametrize(
    ("ids", "popularity"),
    [
        (traffic.uniform(N, 10), traffic.uniform_popularity(10)),
        (traffic.zipf(N, 50, 1.2), traffic.zipf_popularity(50, 1.2)),
        (traffic.eighty_twenty(N, 16), traffic.eighty_twenty_popularity(16)),
        (
            traffic.eighty_twenty(N, 16, 2),
            traffic.eighty_twenty_popularity(16, 2),
        ),
    ],
)
def test_each_adapter_gets_its_share(ids, popularity):
    measured = shares(ids, len(popularity))
    assert np.isclose(popularity.sum(), 1)
    assert (abs(measured - popularity) <= spread(popularity)).all()


def test_draws_are_independent():
    ids = traffic.zipf(N, 20, 1.0)
    repeats = (ids[1:] == ids[:-1]).mean()
    expected = (traffic.zipf_popularity(20, 1.0) ** 2).sum()
    assert abs(repeats - expected) < spread(expected)


def test_eighty_percent_goes_to_the_hot_ones():
    for num_hot in (1, 2, 3, 4):
        ids = traffic.eighty_twenty(N, 16, num_hot)
        assert abs((ids < num_hot).mean() - 0.8) < spread(0.8)
    assert traffic.eighty_twenty_popularity(16)[3] < 0.1  # 3 of 16 are hot


def test_zipf_exponent_zero_is_uniform():
    assert np.allclose(traffic.zipf_popularity(8, 0), 1 / 8)


def test_cyclic_asks_each_in_turn():
    assert traffic.cyclic(7, 3).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_sticky_sessions_have_the_length_they_say():
    ids = traffic.sticky(N, 20, stay=0.9)
    changes = (ids[1:] != ids[:-1]).sum()
    expected = 1 / (0.1 * (1 - 1 / 20))
    assert abs(N / changes / expected - 1) < 0.06
    assert abs(shares(ids, 20) - 1 / 20).max() < 0.02
    assert len(set(traffic.sticky(100, 20, stay=1).tolist())) == 1


def test_interleaved_sessions_fit_when_no_more_of_them_than_slots():
    rates = {}
    for num_sessions in (1, 8, 20):
        ids = traffic.sticky(N, 40, stay=0.98, num_sessions=num_sessions)
        assert abs(shares(ids, 40) - 1 / 40).max() < 0.02
        same = [np.flatnonzero(ids == i) for i in range(40)]
        assert all(len(rows) for rows in same)
        cache = AdapterSlotCache(8)
        for adapter_id in ids:
            cache.activate(int(adapter_id))
        rates[num_sessions] = cache.hit_rate
    assert rates[1] > 0.98
    assert rates[8] > 0.9
    assert rates[20] < 0.6


def test_sticky_that_never_stays_is_uniform():
    assert np.array_equal(
        traffic.sticky(500, 7, stay=0, seed=4), traffic.uniform(500, 7, 4)
    )


def test_drift_is_zipf_between_two_favourites():
    """Each stretch has zipf's weights under its own ranking of adapters."""
    still = traffic.drift(N, 20, 1.2, every=N, seed=5)
    assert np.array_equal(still, traffic.zipf(N, 20, 1.2, seed=5))
    every = 10_000
    popularity = traffic.zipf_popularity(20, 1.2)
    ids = traffic.drift(N, 20, 1.2, every=every)
    noise = spread(popularity) * np.sqrt(N / every)
    for stretch in np.split(ids, N // every):
        ranked = np.sort(shares(stretch, 20))[::-1]
        assert (abs(ranked - popularity) <= noise).all()


def test_each_favourite_of_drift_stays_for_its_time():
    """Exponent 40 asks for the favourite alone, so the trace shows it."""
    favourites = traffic.drift(N, 6, 40, every=10).reshape(-1, 10)
    assert (favourites == favourites[:, :1]).all()
    assert favourites[0, 0] == 0
    changed = (np.diff(favourites[:, 0]) != 0).mean()
    assert abs(changed - 5 / 6) < 5 * np.sqrt(5 / 36 / len(favourites))


def test_in_the_long_run_drift_gives_each_adapter_its_share():
    ids = traffic.drift(200_000, 10, every=20)
    assert abs(shares(ids, 10) - 1 / 10).max() < 0.01
    fixed = traffic.drift(200_000, 10, every=200_000)
    assert abs(shares(fixed, 10) - 1 / 10).max() > 0.2


def test_those_before_a_new_favourite_go_down_by_one():
    """Played again by hand: the ranks drawn are those of zipf."""
    ranks = traffic.zipf(900, 7, 1.0, seed=8)
    risen = np.random.default_rng([8, 2])
    ranking, expected = list(range(7)), []
    for start in range(0, 900, 90):
        if start:
            ranking.insert(0, ranking.pop(risen.integers(0, 7)))
        expected += [ranking[rank] for rank in ranks[start : start + 90]]
    drifted = traffic.drift(900, 7, every=90, seed=8)
    assert drifted.tolist() == expected


@pytest.mark.parametrize("cv", [0.5, 1, 4])
def test_bursts_keep_rate_and_variance(cv):
    gaps = np.diff(traffic.bursts(200_000, rate=5.0, cv=cv, seed=2))
    assert (gaps >= 0).all()
    assert abs(gaps.mean() * 5 - 1) < 5 * cv / np.sqrt(200_000)
    assert abs(gaps.std() / gaps.mean() / cv - 1) < 0.05


def test_the_same_seed_gives_the_same_trace():
    for make in (
        traffic.uniform,
        traffic.zipf,
        traffic.eighty_twenty,
        traffic.sticky,
        traffic.drift,
    ):
        assert np.array_equal(make(99, 9, seed=3), make(99, 9, seed=3))
        assert not np.array_equal(make(99, 9, seed=3), make(99, 9, seed=4))


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (traffic.uniform, (0, 5), "num_requests is 0"),
        (traffic.uniform, (5, -1), "num_adapters is -1"),
        (traffic.uniform, (5, 2.5), "num_adapters is 2.5"),
        (traffic.uniform, (5, 5, -1), "seed is -1"),
        (traffic.zipf, (5, 5, -1), "exponent is -1"),
        (traffic.zipf, (5, 5, float("nan")), "exponent is nan"),
        (traffic.eighty_twenty, (5, 1), "num_adapters is 1"),
        (traffic.eighty_twenty, (5, 4, 4), "num_hot is 4"),
        (traffic.cyclic, (5, 0), "num_adapters is 0"),
        (traffic.sticky, (5, 5, 1.1), "stay is 1.1"),
        (traffic.drift, (5, 5, -1), "exponent is -1"),
        (traffic.drift, (5, 5, 1, 0), "every is 0"),
        (traffic.drift, (5, 5, 1, 2, -1), "seed is -1"),
        (traffic.bursts, (5, 0), "rate is 0"),
        (traffic.bursts, (5, 1, 0), "cv is 0"),
    ],
)
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        function(*arguments)
