"""The bound on a delta's error: by hand, and against emulated rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.matmul.lora import lora_delta
from multilora.matmul.rounding import delta_error_bound

U32, U16 = 2.0**-24, 2.0**-8


def test_the_bound_of_one_number_by_hand():
    """One term each: gamma(1) twice, three roundings to the stored type."""
    gamma = U32 / (1 - U32)
    bound = delta_error_bound([[2.0]], [[3.0]], [[-5.0]], -7.0, "bfloat16")
    wanted = ((1 + gamma) ** 2 * (1 + U16) ** 3 - 1) * 2 * 3 * 5 * 7
    assert bound == pytest.approx(np.array([[wanted]]), rel=1e-12)
    # n terms: gamma(n), not gamma(1).
    ones = np.ones
    wide = delta_error_bound(ones((1, 64)), ones((1, 64)), [[1.0]], 1.0,
                             "float32", "bfloat16")  # fmt: skip
    gamma = 64 * U16 / (1 - 64 * U16)
    wanted = (1 + gamma) * (1 + U16 / (1 - U16)) * (1 + U32) ** 3 - 1
    assert wide == pytest.approx(np.array([[64 * wanted]]), rel=1e-12)


@given(st.integers(0, 999), st.integers(1, 40), st.integers(1, 9))
def test_float32_stays_within_the_bound_and_not_far_below(seed, width, rank):
    rng = np.random.default_rng(seed)
    x, A, B = (
        rng.normal(size=size).astype(np.float32)
        for size in ((4, width), (rank, width), (5, rank))
    )
    rough = np.float32(1.7) * ((x @ A.T) @ B.T)
    fine = lora_delta(*(item.astype(np.float64) for item in (x, A, B)),
                      float(np.float32(1.7)))  # fmt: skip
    bound = delta_error_bound(x, A, B, float(np.float32(1.7)))
    assert np.all(np.abs(rough - fine) <= bound)
    # A bound a thousand times too wide would say nothing.
    assert (np.abs(rough - fine) / bound).max() > 1e-4


def test_what_has_no_bound_is_refused():
    for x in ([[np.nan]], [[1e300]]):
        with pytest.raises(ValueError, match="NaN or infinite"):
            delta_error_bound(x, [[1e300]], [[1.0]], 1.0)
    with pytest.raises(ValueError, match="too coarse for a sum of 300 terms"):
        delta_error_bound(np.ones((1, 300)), np.ones((1, 300)), [[1.0]], 1.0,
                          "bfloat16", "bfloat16")  # fmt: skip
    with pytest.raises(ValueError, match="dtype is 'float16', allowed"):
        delta_error_bound([[1.0]], [[1.0]], [[1.0]], 1.0, "float16")
