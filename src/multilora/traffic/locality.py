"""What a trace is like: who repeats, how steep popularity is, what stays."""

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    finite_number,
    integer,
    integer_array,
    real_array,
    shown,
)


def own_share(
    times_s: npt.ArrayLike,
    adapter_ids: npt.ArrayLike,
    user_ids: npt.ArrayLike,
    within_s: float = 600.0,
) -> float:
    """Return the share of uses that follow one by the same user, of late.

    A use counts if the last use of its adapter was by the same user, at most
    within_s seconds before. Columns are in order of time, one entry a use.
    Raises ValueError for columns of different lengths or times that go back.
    """
    ids = _row("adapter_ids", adapter_ids)
    users = _row("user_ids", user_ids, len(ids))
    times = real_array("times_s", times_s, "a row of seconds")
    is_sorted = times.shape == ids.shape and (np.diff(times) >= 0).all()
    if not is_sorted or not np.isfinite(times).all():
        raise ValueError(
            f"times_s is {shown(times_s)}, but must be {len(ids)} seconds, "
            "finite and sorted"
        )
    within_s = finite_number("within_s", within_s, minimum=0)
    order = np.argsort(ids, kind="stable")
    is_same = np.diff(ids[order]) == 0
    is_same &= np.diff(users[order]) == 0
    is_same &= np.diff(times[order]) <= within_s
    return float(is_same.sum() / len(ids))


def zipf_slope(adapter_ids: npt.ArrayLike, num_top: int) -> float:
    """Return the exponent of Zipf's law over the num_top most used adapters.

    The slope of a straight line, by least squares, through the logarithms of
    uses and rank, with its sign turned; fewer adapters than num_top are all
    taken. Raises ValueError for fewer than two adapters.
    """
    ids = _row("adapter_ids", adapter_ids)
    num_top = integer("num_top", num_top, minimum=2)
    uses = np.sort(np.unique(ids, return_counts=True)[1])[::-1][:num_top]
    if len(uses) < 2:
        raise ValueError("adapter_ids holds one adapter: a slope needs two")
    x = np.log(np.arange(1, len(uses) + 1))
    y = np.log(uses)
    x = x - x.mean()
    return float(-(x @ (y - y.mean())) / (x @ x))


def favourites_kept(adapter_ids: npt.ArrayLike, num_top: int = 20) -> int:
    """Return how many of the first half's favourites are the second's too.

    The favourites of a half are its num_top most used adapters, the smaller
    id first among equals. Raises ValueError for fewer than two uses.
    """
    ids = _row("adapter_ids", adapter_ids)
    num_top = integer("num_top", num_top, minimum=1)
    if len(ids) < 2:
        raise ValueError("adapter_ids holds one use: halves need two")
    half = len(ids) // 2
    first, second = (_top(part, num_top) for part in (ids[:half], ids[half:]))
    return len(first & second)


def top_shares(adapter_ids: npt.ArrayLike, tops: npt.ArrayLike) -> np.ndarray:
    """Return the share of requests of the busiest 1, 10, … as tops says."""
    ids = _row("adapter_ids", adapter_ids)
    counts = integer_array("tops", tops, "whole numbers of at least 1")
    if counts.ndim != 1 or not counts.size or counts.min() < 1:
        raise ValueError(
            f"tops is {shown(tops)}, but must be a row of whole numbers of "
            "at least 1"
        )
    uses = np.sort(np.unique(ids, return_counts=True)[1])[::-1]
    total = np.cumsum(uses) / len(ids)
    return total[np.minimum(counts, len(total)) - 1]


def _top(ids, num_top):
    names, uses = np.unique(ids, return_counts=True)
    return set(names[np.argsort(-uses, kind="stable")[:num_top]].tolist())


def _row(name, value, length=None):
    row = integer_array(name, value, "a row of integer ids")
    if row.ndim != 1 or not row.size or length not in (None, len(row)):
        raise ValueError(
            f"{name} is {shown(value)}, but must be a row of integer ids, "
            + ("at least one" if length is None else f"{length} of them")
        )
    return row
