"""Requests to serve: when each arrives, whose it is, how long it is."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    finite_number,
    integer,
    integer_array,
    real_array,
    shown,
)
from multilora.matmul.operands import BASE
from multilora.traffic.generators import MAX_ADAPTERS

NS_PER_S = 10**9
MAX_S = 10**9  # some thirty years
MAX_TOKENS = 10**6


class Workload(NamedTuple):
    """Requests in order of arrival, an int64 array a column.

    arrival_ns is whole nanoseconds from the start; adapter_ids is -1 for
    the base; prompt_tokens and output_tokens are at least 1.
    """

    arrival_ns: np.ndarray
    adapter_ids: np.ndarray
    prompt_tokens: np.ndarray
    output_tokens: np.ndarray
    num_adapters: int

    @property
    def num_requests(self) -> int:
        return len(self.arrival_ns)

    @property
    def is_adapter(self) -> np.ndarray:
        """1 for each request with an adapter, 0 for the base."""
        return (self.adapter_ids != BASE).astype(np.int64)


def make_workload(
    times_s: npt.ArrayLike,
    adapter_ids: npt.ArrayLike,
    prompt_tokens: npt.ArrayLike = 64,
    output_tokens: npt.ArrayLike = 32,
    num_adapters: int | None = None,
) -> Workload:
    """Return the Workload of arrival times in seconds and adapter ids.

    prompt_tokens and output_tokens are one number for all or one a request.
    num_adapters defaults to the largest id + 1. Times are rounded to whole
    nanoseconds and requests sorted by them, equal times in the order given.
    Raises ValueError for no requests, columns of different lengths, or a
    value out of range; TypeError for columns that are not numbers.
    """
    times = real_array("times_s", times_s, "a row of seconds")
    times = times.astype(np.float64)  # narrower floats lose nanoseconds
    if times.ndim != 1 or not times.size:
        raise ValueError(
            f"times_s is {shown(times_s)}, but must be a row of seconds, at "
            "least one"
        )
    if not (np.isfinite(times) & (times >= 0) & (times <= MAX_S)).all():
        raise ValueError(
            f"times_s holds a value that is not from 0 to {MAX_S:,} seconds"
        )
    arrival_ns = np.round(times * NS_PER_S).astype(np.int64)
    ids = _column(
        "adapter_ids", adapter_ids, len(times), BASE, MAX_ADAPTERS - 1, False
    )
    least = max(int(ids.max()) + 1, 1)
    if num_adapters is None:
        num_adapters = least
    num_adapters = integer("num_adapters", num_adapters, least, MAX_ADAPTERS)
    order = np.argsort(arrival_ns, kind="stable")
    columns = [arrival_ns, ids] + [
        _column(name, tokens, len(times), 1, MAX_TOKENS)
        for name, tokens in (
            ("prompt_tokens", prompt_tokens),
            ("output_tokens", output_tokens),
        )
    ]
    columns = [column[order] for column in columns]
    return Workload._make([*columns, num_adapters])


def check_workload(workload: object) -> Workload:
    """Return a Workload's columns if make_workload could have made them.

    Raises TypeError for another object, ValueError for columns that were
    changed to what it would have refused, or are not sorted.
    """
    if not isinstance(workload, Workload):
        raise TypeError(
            f"workload is {shown(workload)}, but must be a Workload"
        )
    *columns, num_adapters = workload
    num = max(len(columns[0]), 1)
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    ranges = (
        (0, MAX_S * NS_PER_S),
        (BASE, num_adapters - 1),
        (1, MAX_TOKENS),
        (1, MAX_TOKENS),
    )
    columns = [
        _column(f"{name} of workload", column, num, *allowed, False)
        for name, column, allowed in zip(
            Workload._fields[:-1], columns, ranges, strict=True
        )
    ]
    if (np.diff(columns[0]) < 0).any():
        raise ValueError(
            "arrival_ns of workload goes down, but must be sorted, as "
            "make_workload sorts it"
        )
    return Workload._make([*columns, num_adapters])


def geometric_tokens(
    num_requests: int, mean: float, maximum: int = 4096, seed: int = 0
) -> np.ndarray:
    """Return token counts from 1 on, mostly short, a few long.

    Geometric with this mean, cut at maximum, which lowers the mean a little
    where maximum is not far above it.
    """
    num_requests = integer("num_requests", num_requests, 1, 10**9)
    mean = finite_number("mean", mean, minimum=1, maximum=MAX_TOKENS)
    maximum = integer("maximum", maximum, 1, MAX_TOKENS)
    rng = np.random.default_rng(integer("seed", seed, minimum=0))
    return np.minimum(rng.geometric(1 / mean, num_requests), maximum)


def _column(name, value, length, minimum, maximum, may_be_one=True):
    column = integer_array(name, value, "integers")
    if column.shape != (length,) and (column.ndim or not may_be_one):
        raise ValueError(
            f"{name} has shape {column.shape}, but must be "
            f"{'one number or ' * may_be_one}one a request, ({length},)"
        )
    column = np.array(np.broadcast_to(column, length), dtype=np.int64)
    if column.min() < minimum or column.max() > maximum:
        raise ValueError(
            f"{name} holds {column.min()} to {column.max()}, but must be "
            f"from {minimum} to {maximum:,}"
        )
    return column
