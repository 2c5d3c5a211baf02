"""Che's approximation against the curve."""

import numpy as np
import pytest

from multilora import traffic
from multilora.cache.hitrate import che_hit_curve, hit_rate_curve


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


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (che_hit_curve, ([],), "popularity has shape"),
        (che_hit_curve, ([-1, 2],), "popularity is"),
        (che_hit_curve, ([0, 0],), "popularity is"),
        (che_hit_curve, ([np.nan, 1],), "popularity holds 1 NaN"),
        (che_hit_curve, (["a"],), "popularity is"),
    ],
)
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        function(*arguments)
