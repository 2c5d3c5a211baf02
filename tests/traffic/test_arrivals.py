"""Each kind of arrivals has the rate, the mix and the variance it says."""

import numpy as np
import pytest

from multilora.traffic.arrivals import (
    bursty_arrivals,
    diurnal_arrivals,
    poisson_arrivals,
)

RATES = np.array([0.0, 1.0, 3.0])
KINDS = [
    lambda seed: poisson_arrivals(RATES, 2_000, seed),
    lambda seed: bursty_arrivals(RATES, 2_000, 4.0, seed),
    lambda seed: diurnal_arrivals(RATES, 2_000, day_s=1_000, seed=seed),
]


@pytest.mark.parametrize("arrive", KINDS)
def test_each_tenant_has_his_own_rate(arrive):
    counts = np.mean(
        [np.bincount(arrive(seed)[1], minlength=3) for seed in range(5)], 0
    )
    assert counts[0] == 0
    assert counts / 2_000 == pytest.approx(RATES, rel=0.1)


@pytest.mark.parametrize("arrive", KINDS)
def test_times_are_sorted_in_range_and_repeatable(arrive):
    times, ids = arrive(3)
    assert (np.diff(times) >= 0).all()
    assert 0 <= times[0] <= times[-1] <= 2_000
    again, same_ids = arrive(3)
    assert (times == again).all() and (ids == same_ids).all()
    assert len(arrive(4)[0]) != len(times)


def gaps_cv(times):
    gaps = np.diff(times)
    return gaps.std() / gaps.mean()


def test_poisson_gaps_are_exponential_and_counts_vary_as_they_should():
    times, _ = poisson_arrivals([5.0], 4_000)
    assert gaps_cv(times) == pytest.approx(1, abs=0.03)
    counts = [len(poisson_arrivals([5.0], 40, seed)[0]) for seed in range(400)]
    assert np.var(counts) == pytest.approx(200, rel=0.25)


@pytest.mark.parametrize("cv", [0.5, 4.0])
def test_bursts_clump_by_tenant_not_all_at_once(cv):
    times, ids = bursty_arrivals([2.0] * 4, 8_000, cv)
    for tenant in range(4):
        assert gaps_cv(times[ids == tenant]) == pytest.approx(cv, rel=0.12)
    bins = [
        np.histogram(times[ids == tenant], 4_000, (0, 8_000))[0]
        for tenant in range(4)
    ]
    correlation = np.corrcoef(bins)[~np.eye(4, dtype=bool)]
    assert abs(correlation).max() < 0.1


def test_a_burst_does_not_begin_at_the_start():
    """A renewal process drawn from 0 would begin with a clump at 0."""
    first = [len(bursty_arrivals([1.0], 10, 8.0, s)[0]) for s in range(300)]
    assert np.mean(first) == pytest.approx(10, rel=0.35)


def test_a_day_has_its_peak_where_it_says():
    times, _ = diurnal_arrivals([10.0], 4_800, day_s=2_400)
    hours = times % 2_400 / 100
    near_nine = abs(hours - 9) < 2  # two standard deviations
    expected = 0.5 * 0.954 + 0.5 * 4 / 24
    assert near_nine.mean() == pytest.approx(expected, abs=0.01)
    flat, _ = diurnal_arrivals([10.0], 2_400, peak_share=0, day_s=2_400)
    counts = np.histogram(flat, 24, (0, 2_400))[0]
    assert counts.min() > 850


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (poisson_arrivals, ([], 1), "rates is"),
        (poisson_arrivals, ([-1], 1), "rates is"),
        (poisson_arrivals, ([np.nan], 1), "rates holds 1 NaN"),
        (poisson_arrivals, ([1], 0), "duration_s is 0"),
        (poisson_arrivals, ([1e9], 1e6), "arrivals"),
        (bursty_arrivals, ([1], 1, 0), "cv is 0"),
        (diurnal_arrivals, ([1], 1, 25), "peak_hour is 25"),
        (diurnal_arrivals, ([1], 1, 9, 2), "peak_share is 2"),
        (diurnal_arrivals, ([1], 1, 9, 0.5, 1, 0), "day_s is 0"),
        (poisson_arrivals, ("x", 1), "rates is"),
    ],
)
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        function(*arguments)
