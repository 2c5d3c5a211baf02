"""How many other adapters came since an adapter's last use, for a trace.

An LRU cache of c slots hits exactly where that number is below c (Mattson
et al. 1970), so one pass answers for every slot count. Here in numpy; the
same in numba, several times faster, is reuse_numba.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from multilora.arguments import integer_array, shown
from multilora.matmul.operands import BASE

FIRST_USE = -1
PIECE = 2**15  # positions looked at together; their counts fit in 16 bits
BLOCK = 64  # below this, comparing all pairs beats another split


def reuse_depths(trace: npt.ArrayLike) -> np.ndarray:
    """Return how many other adapters came since each request's last use.

    One int64 an adapter request of the trace (base rows, -1, left out),
    FIRST_USE for an adapter's first. An LRU cache of c slots hits exactly
    where the depth is from 0 to c - 1. The time grows with len(trace) ×
    log(number of distinct ids). Raises as check_trace.
    """
    return np.concatenate(list(ReuseStack().pieces(check_trace(trace))))


class ReuseStack:
    """The adapters seen so far by last use, and the depths of what comes."""

    def __init__(self) -> None:
        self.ids = np.empty(0, dtype=np.int64)  # oldest use first

    @property
    def num_distinct(self) -> int:
        return len(self.ids)

    def pieces(self, ids: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the depths of ids (an array of them, 0 and up) in pieces."""
        start = 0
        while start < len(ids):
            # The stack goes in front of each piece, so that every last use
            # is in sight; with many adapters a piece must grow with it.
            room = max(PIECE, 4 * len(self.ids)) - len(self.ids)
            yield self._depths(ids[start : start + room])
            start += room

    def count(self, ids: np.ndarray, histogram: np.ndarray) -> np.ndarray:
        """Add each depth of ids to a histogram; return it, maybe grown."""
        for depths in self.pieces(ids):
            again = depths[depths != FIRST_USE].astype(np.intp)
            found = np.bincount(again)
            histogram = _added(histogram, found)
        return histogram

    def _depths(self, ids):
        row = np.concatenate([self.ids, ids])
        order = np.argsort(_narrow(row), kind="stable")
        again = row[order[1:]] == row[order[:-1]]
        previous, current = order[:-1][again], order[1:][again]
        next_use = np.full(len(row), FIRST_USE)
        next_use[previous] = current
        latest_first = next_use[::-1]
        # A request is shallower by each earlier one whose last use lies
        # between: that adapter would otherwise be counted twice.
        twice = _num_smaller_before(
            latest_first[latest_first != FIRST_USE], len(row)
        )
        depths = np.full(len(row), FIRST_USE)
        depths[current] = current - previous - 1 - twice[current]
        num_known = len(self.ids)
        self.ids = row[next_use == FIRST_USE]
        return depths[num_known:]


def _num_smaller_before(values, limit):
    """Return, at index v, how many values before v are smaller than v.

    values are distinct, from 0 to limit - 1. Splits by the highest bit that
    is left, all blocks of equal high bits at once, keeping the order within
    each: who goes up passes the smaller ones that stood before it.
    """
    size = BLOCK
    while size < limit:
        size *= 2
    rest = np.ones(size, dtype=bool)
    rest[values] = False
    bits = 16 if size <= 2**16 else 32
    # The value in the low half of a word, its count in the high half.
    words = np.concatenate([values, np.flatnonzero(rest)])
    words = words.astype(f"u{bits // 4}").reshape(1, size)
    while size > BLOCK:
        size //= 2
        is_up = (words & size).astype(bool)
        passed = np.cumsum(~is_up, axis=1, dtype=words.dtype)
        words += (passed * is_up) << bits
        low = words[~is_up].reshape(-1, 1, size)
        high = words[is_up].reshape(-1, 1, size)
        words = np.concatenate([low, high], axis=1).reshape(-1, size)
    count = words >> bits
    value = words & (2**bits - 1)
    counts = np.empty(words.size, dtype=np.int64)
    counts[value] = count + _pairs_in_order(value % BLOCK)
    return counts


def _pairs_in_order(rows):
    """Return how many of the values before each in its row are smaller."""
    columns = np.ascontiguousarray(rows.T.astype(np.uint8))
    counts = np.zeros_like(columns)  # below 64, a byte holds it
    for place, column in enumerate(columns[:-1], start=1):
        counts[place:] += column < columns[place:]
    return counts.T


def check_trace(trace: npt.ArrayLike) -> np.ndarray:
    """Return the adapter requests of a trace: its ids without the base."""
    ids = integer_array("trace", trace, "integer adapter ids")
    if ids.ndim != 1 or not ids.size or ids.min() < BASE:
        raise ValueError(
            f"trace is {shown(trace)}, but must be a row of adapter ids, "
            "-1 (base) or more, at least one"
        )
    ids = ids[ids != BASE]
    if not ids.size:
        raise ValueError("trace holds base requests only (-1): no adapters")
    return ids


def _narrow(row):
    """Return ids in 16 bits where they fit: numpy then sorts by counting."""
    return row.astype(np.uint16) if row.max() < 2**16 else row


def _added(histogram, found):
    if len(found) > len(histogram):
        histogram, found = found, histogram
    histogram = histogram.copy()
    histogram[: len(found)] += found
    return histogram
