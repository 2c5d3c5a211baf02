"""Least squares whose solution holds no negative number."""

import numpy as np
import numpy.typing as npt

from multilora.arguments import matrix, real_array, require_finite, shown

MAX_ROUNDS = 10  # times the number of columns; few are ever needed


def nonnegative_least_squares(
    matrix_a: npt.ArrayLike, targets: npt.ArrayLike
) -> np.ndarray:
    """Return the x ≥ 0 that makes |matrix_a @ x - targets| smallest.

    matrix_a is (rows, columns), targets (rows,), x float64 of (columns,).
    The active set method of Lawson and Hanson, Solving Least Squares
    Problems (1974), chapter 23. Columns are scaled first, so that units do
    not matter. Raises ValueError for shapes that do not fit or NaN.
    """
    a = matrix("matrix_a", matrix_a, "(rows, columns)").astype(np.float64)
    b = real_array("targets", targets, "(rows,)").astype(np.float64)
    if b.shape != (len(a),):
        raise ValueError(
            f"targets is {shown(targets)}, but must be one number for each "
            f"of the {len(a)} rows of matrix_a"
        )
    require_finite("matrix_a", a)
    require_finite("targets", b)
    largest = np.abs(a).max(axis=0)
    largest[largest == 0] = 1
    a = a / largest  # first, or the squares of huge numbers overflow
    norms = np.linalg.norm(a, axis=0)
    norms[norms == 0] = 1
    height = float(np.abs(b).max()) or 1.0
    with np.errstate(over="ignore"):
        return _solve(a / norms, b / height) / norms / largest * height


def _solve(a, b):
    """Free the column that helps most; bind those that turn negative."""
    num = a.shape[1]
    x, is_free = np.zeros(num), np.zeros(num, dtype=bool)
    tolerance = 1e-11 * max(1.0, float(np.linalg.norm(b)))
    for _ in range(MAX_ROUNDS * num):
        gain = np.where(is_free, -np.inf, a.T @ (b - a @ x))
        best = int(np.argmax(gain))
        if gain[best] <= tolerance:
            break
        is_free[best] = True
        wanted = _on_support(a, b, is_free)
        if wanted[best] <= 0:  # it gains by rounding only
            break
        while (wanted[is_free] <= 0).any():
            is_low = is_free & (wanted <= 0)
            step = (x[is_low] / (x[is_low] - wanted[is_low])).min()
            x = np.where(is_free, x + step * (wanted - x), 0)
            is_free &= x > 1e-14
            x[~is_free] = 0
            wanted = _on_support(a, b, is_free)
        x = wanted
    return x


def _on_support(a, b, is_free):
    x = np.zeros(a.shape[1])
    x[is_free] = np.linalg.lstsq(a[:, is_free], b, rcond=None)[0]
    return x
