"""Tenants by window: each with a rate and a burstiness that change.

The form is ServeGen's: for each client and each ten minutes in which they
sent something, requests a second and the CV of the gaps between them.
"""

from typing import NamedTuple

import numpy as np

from multilora.arguments import (
    finite_number,
    integer,
    integer_array,
    real_array,
    require_finite,
    shown,
)
from multilora.traffic.arrivals import MAX_ARRIVALS, MAX_RATE, MAX_S
from multilora.traffic.generators import MAX_ADAPTERS

WINDOW_S = 600
MAX_CV = 1e3
MAX_ROWS = 10**7
LEAST_SHAPE = 0.02  # of the gaps; far below it all of them underflow to 0


class Windows(NamedTuple):
    """One row for each tenant and window: int64 ids, float64 rates and CVs.

    A window without a row has no request of that tenant. cv is the standard
    deviation of the gaps between two requests over their mean.
    """

    tenant_ids: np.ndarray
    window_ids: np.ndarray
    rates: np.ndarray
    cvs: np.ndarray


def window_arrivals(
    windows: Windows, window_s: float = WINDOW_S, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return (times in seconds, tenant ids) of windows of window_s seconds.

    Sorted by time. A row has rates × window_s requests, rounded up or down
    at random. Its gaps are gamma, with the shape that gives them the row's
    CV; n - 1 gaps cannot have one above √(n - 2), which theirs then comes
    near. Windows are independent of each other.
    Raises as check_windows does, and ValueError for too many arrivals.
    """
    windows = check_windows(windows)
    window_s = finite_number("window_s", window_s, 1e-3, 1e6)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    mean = windows.rates * window_s
    end = (int(windows.window_ids.max()) + 1) * window_s
    if mean.sum() > MAX_ARRIVALS or end > MAX_S:
        raise ValueError(
            f"windows make {mean.sum():.3g} arrivals in {end:.3g} s with "
            f"window_s = {window_s:g}; there must be at most "
            f"{MAX_ARRIVALS:,} in {MAX_S:,} s"
        )
    num = np.floor(mean + rng.random(len(mean))).astype(np.intp)
    within = _within(num, windows.cvs, rng)
    times = (np.repeat(windows.window_ids, num) + within) * window_s
    order = np.argsort(times, kind="stable")
    return times[order], np.repeat(windows.tenant_ids, num)[order]


def _within(num, cvs, rng):
    """Return where each request lies in its window, from 0 to 1.

    n gamma gaps of shape k, divided by their sum, close a circle, which is
    cut at random. The n - 1 gaps that stay whole are again gammas over a
    sum, so their squared CV is (n - 2) / ((n - 1) k + 1): each is a beta
    variable.
    """
    num, cvs = num[num > 0], cvs[num > 0]
    squared = np.maximum(cvs, 1e-3) ** 2
    shape = ((num - 2) / squared - 1) / np.maximum(num - 1, 1)
    shape = np.where(num < 3, 1, np.maximum(shape, LEAST_SHAPE))
    gaps = rng.gamma(np.repeat(shape, num))
    starts = np.cumsum(num) - num
    total = np.add.reduceat(gaps, starts) if len(num) else gaps
    gaps /= np.repeat(np.maximum(total, np.finfo(float).tiny), num)
    reached = np.cumsum(gaps)
    cut = rng.random(len(num)) - (reached - gaps)[starts]
    return (reached + np.repeat(cut, num)) % 1


def check_windows(windows: object) -> Windows:
    """Return Windows with columns of equal length, every number allowed.

    Tenants are from 0 to MAX_ADAPTERS - 1, windows from 0 to 1,000,000,
    rates from 0 to MAX_RATE, CVs from 0 to MAX_CV. Raises TypeError for
    another object, ValueError for a number out of range, no row, or two rows
    for one tenant and window.
    """
    if not isinstance(windows, Windows):
        raise TypeError(f"windows is {shown(windows)}, but must be Windows")
    whole = [
        integer_array(f"{name} of windows", column, "integers")
        for name, column in zip(Windows._fields, windows[:2], strict=False)
    ]
    real = [
        real_array(f"{name} of windows", column).astype(np.float64)
        for name, column in zip(Windows._fields[2:], windows[2:], strict=True)
    ]
    checked = Windows(whole[0], whole[1], real[0], real[1])
    limits = (MAX_ADAPTERS - 1, 10**6, MAX_RATE, MAX_CV)
    num = np.size(checked[0])
    for name, column, limit in zip(
        Windows._fields, checked, limits, strict=True
    ):
        if column.shape != (num,) or not 1 <= num <= MAX_ROWS:
            raise ValueError(
                f"{name} of windows has shape {column.shape}, but all must "
                f"be rows of one length, from 1 to {MAX_ROWS:,}"
            )
        require_finite(f"{name} of windows", column)
        if column.min() < 0 or column.max() > limit:
            raise ValueError(
                f"{name} of windows holds {column.min()} to {column.max()}, "
                f"but must be from 0 to {limit:,}"
            )
    _require_once(checked)
    return checked


def _require_once(windows):
    order = np.lexsort((windows.window_ids, windows.tenant_ids))
    is_twice = np.diff(windows.tenant_ids[order]) == 0
    is_twice &= np.diff(windows.window_ids[order]) == 0
    if is_twice.any():
        row = order[int(np.argmax(is_twice))]
        raise ValueError(
            f"windows has tenant {windows.tenant_ids[row]} twice in window "
            f"{windows.window_ids[row]}, but each may have one row"
        )
