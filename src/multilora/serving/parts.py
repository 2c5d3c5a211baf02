"""Percentiles of many parts of a row at once, by tenant or by minute."""

import numpy as np

from multilora.arguments import (
    finite_number,
    integer_array,
    real_array,
    require_finite,
)


def percentile_of_parts(
    values: np.ndarray, starts: np.ndarray, percent: float
) -> np.ndarray:
    """Return a percentile of each part of values, as np.percentile does.

    A part goes from its start to the next one; starts begin with 0 and go
    up. Equal to a loop of np.percentile to the last digit, but a million
    parts take a second. Raises ValueError for starts that are not so, or a
    percent outside 0 to 100.
    """
    values = real_array("values", values, "a row of numbers")
    require_finite("values", values)
    starts = integer_array("starts", starts, "places in values")
    if values.ndim != 1 or starts.ndim != 1:
        raise ValueError(
            f"values has shape {values.shape} and starts {starts.shape}, but "
            "both must be rows"
        )
    share = finite_number("percent", percent, 0, 100) / 100
    num = np.diff(starts, append=values.size)
    if not starts.size or starts[0] or (num < 1).any():
        raise ValueError(
            "starts must begin with 0 and go up, each below the number of "
            "values"
        )
    part = np.repeat(np.arange(len(starts)), num.astype(np.intp))
    in_order = values[np.lexsort((values, part))]
    reach = share * (num - 1)
    low = np.floor(reach).astype(np.int64)
    high = np.minimum(low + 1, num - 1)
    below, above = in_order[starts + low], in_order[starts + high]
    # From the nearer end, as numpy does.
    rest, gap = reach - low, above - below
    return np.where(rest < 0.5, below + gap * rest, above - gap * (1 - rest))
