"""Token counts have the mean that was asked, whatever is cut off."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.traffic.lengths import lognormal_tokens

N = 200_000


@given(
    st.floats(0.1, 2.5), st.floats(0.02, 0.98), st.integers(10, 5_000),
    st.integers(0, 99),
)  # fmt: skip
def test_the_mean_survives_the_cut(sigma, where, maximum, seed):
    mean = 1 + where * (maximum - 1)
    tokens = lognormal_tokens(20_000, mean, sigma, maximum, seed)
    assert tokens.dtype == np.int64
    assert 1 <= tokens.min() and tokens.max() <= maximum
    noise = 5 * tokens.std() / np.sqrt(len(tokens))
    assert tokens.mean() == pytest.approx(mean, rel=0.005, abs=noise)


def test_far_from_the_cut_it_is_numpys_lognormal():
    """The same mean and sigma, drawn without a cut."""
    tokens = lognormal_tokens(N, 300, 0.8, 10**6)
    plain = np.random.default_rng(1).lognormal(
        np.log(300) - 0.8**2 / 2, 0.8, N
    )
    for q in (0.1, 0.5, 0.9, 0.99):
        assert np.quantile(tokens, q) == pytest.approx(
            np.quantile(plain, q), rel=0.02
        )


def test_near_the_cut_it_is_a_lognormal_without_what_is_above():
    """As when values above the maximum are drawn again: no pile there."""
    tokens = lognormal_tokens(N, 200, 1.0, 1024)
    # A median of 161 gives this mean after the cut, by search.
    low, high = 1.0, 1024.0
    rng = np.random.default_rng(1)
    normal = np.exp(rng.standard_normal(N))
    for _ in range(40):
        median = (low + high) / 2
        kept = median * normal
        kept = kept[(kept >= 1) & (kept <= 1024)]
        low, high = (low, median) if kept.mean() > 200 else (median, high)
    for q in (0.1, 0.5, 0.9, 0.99):
        assert np.quantile(tokens, q) == pytest.approx(
            np.quantile(kept, q), rel=0.02
        )
    assert (tokens == 1024).mean() < 0.001


def test_the_default_passes_the_filter_of_vllms_benchmark():
    prompts = lognormal_tokens(N, 220, seed=1)
    outputs = lognormal_tokens(N, 200, seed=2)
    assert prompts.max() <= 1024 and (prompts + outputs).max() <= 2048


@pytest.mark.parametrize("mean", [1, 7])
def test_at_the_ends_all_are_equal(mean):
    assert set(lognormal_tokens(50, mean, maximum=7).tolist()) == {mean}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((5, 0.5), "mean is 0.5"),
        ((5, 2_000), "mean is 2000"),
        ((5, 9, 0), "sigma is 0"),
        ((0, 9), "num_requests is 0"),
        ((5, 9, 1, 0), "maximum is 0"),
    ],
)
def test_bad_input_is_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        lognormal_tokens(*arguments)
