"""Least squares without negative numbers, against every support."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from multilora.serving.nnls import nonnegative_least_squares


def best_of_all_supports(a, b):
    """Return the smallest residual over all sets of columns."""
    best = np.linalg.norm(b)
    for num in range(1, a.shape[1] + 1):
        for columns in combinations(range(a.shape[1]), num):
            part = a[:, columns]
            x = np.linalg.lstsq(part, b, rcond=None)[0]
            if (x >= 0).all():
                best = min(best, np.linalg.norm(part @ x - b))
    return best


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 10**6))
def test_no_support_is_better(rows, columns, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-4, 5, columns)
    b = rng.normal(size=rows)
    x = nonnegative_least_squares(a, b)
    assert (x >= 0).all()
    residual = np.linalg.norm(a @ x - b)
    assert residual <= best_of_all_supports(a, b) + 1e-7


def test_columns_that_are_equal_or_zero_do_no_harm():
    a = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]])
    x = nonnegative_least_squares(a, [3.0, 6.0])
    assert np.allclose(a @ x, [3, 6]) and x[2] == 0
