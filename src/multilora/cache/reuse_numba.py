"""The depths of reuse, the same numbers as reuse gives, in numba.

Each adapter has one bit, at the time of its last use; the depth of a request
is the number of bits later than its own. A Fenwick tree over words of 64
bits counts them. Times are renumbered when they run out, so that memory is
bounded by the number of adapters.
"""

import numpy as np
from numba import njit

from multilora.cache.reuse import FIRST_USE

FEWEST_TIMES = 4096
LARGEST_ID = 10**6  # above it, ids are numbered anew in the order they come


class ReuseStack:
    """The adapters seen so far by last use, and the depths of what comes."""

    def __init__(self) -> None:
        self._times = np.empty(0, dtype=np.int64)  # of last use, by id
        self._words = np.zeros(FEWEST_TIMES // 64, dtype=np.uint64)
        self._tree = np.zeros(FEWEST_TIMES // 64 + 1, dtype=np.int64)
        self._state = np.zeros(2, dtype=np.int64)  # now, num_distinct
        self._number_of: dict[int, int] = {}

    @property
    def num_distinct(self) -> int:
        return int(self._state[1])

    def count(self, ids: np.ndarray, histogram: np.ndarray) -> np.ndarray:
        """Add each depth of ids to a histogram; return it, maybe grown."""
        ids = np.ascontiguousarray(self._numbered(ids))
        self._make_room(int(ids.max()) + 1)
        start = 0
        while start < len(ids):
            if len(histogram) < self.num_distinct + len(self._words):
                histogram = _padded(histogram, 2 * len(histogram) + 4096)
            start = _count(
                ids, start, self._times, self._words, self._tree,
                self._state, histogram,
            )  # fmt: skip
            if start < len(ids):
                self._renumber_times()
        return histogram

    def _numbered(self, ids):
        if not self._number_of and ids.max() < LARGEST_ID:
            return ids.astype(np.int64, copy=False)
        if not self._number_of:
            known = np.flatnonzero(self._times != FIRST_USE)
            self._times = self._times[known]
            self._number_of = {
                item: n for n, item in enumerate(known.tolist())
            }
        distinct, place = np.unique(ids, return_inverse=True)
        numbers = [
            self._number_of.setdefault(item, len(self._number_of))
            for item in distinct.tolist()
        ]
        return np.array(numbers)[place]

    def _make_room(self, num_ids):
        if num_ids > len(self._times):
            grown = np.full(max(num_ids, 2 * len(self._times)), FIRST_USE)
            grown[: len(self._times)] = self._times
            self._times = grown

    def _renumber_times(self):
        """Close the gaps between last uses; keep seven free for each one."""
        known = np.flatnonzero(self._times != FIRST_USE)
        known = known[np.argsort(self._times[known])]
        self._times[known] = np.arange(len(known))
        num_times = max(FEWEST_TIMES, 64 * -(-8 * len(known) // 64))
        bits = np.zeros(num_times, dtype=np.uint8)
        bits[: len(known)] = 1
        packed = np.packbits(bits, bitorder="little")
        self._words = packed.view(np.dtype("<u8")).astype(np.uint64)
        self._tree = _tree_of(bits.reshape(-1, 64).sum(axis=1, dtype=np.int64))
        self._state[0] = len(known)


def _tree_of(counts):
    until = np.concatenate([[0], np.cumsum(counts)])
    places = np.arange(len(until))
    return until - until[places & (places - 1)]


def _padded(histogram, size):
    grown = np.zeros(size, dtype=np.int64)
    grown[: len(histogram)] = histogram
    return grown


@njit(cache=True)
def _num_bits(word):
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    low = word & np.uint64(0x3333333333333333)
    word = low + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True)
def _flip(words, tree, time, by):
    words[time >> 6] ^= np.uint64(1) << np.uint64(time & 63)
    place = (time >> 6) + 1
    while place < len(tree):
        tree[place] += by
        place += place & -place


@njit(cache=True)
def _num_until(words, tree, time):
    """Return the number of bits at this time and before."""
    keep = ~np.uint64(0) >> np.uint64(63 - (time & 63))
    total = _num_bits(words[time >> 6] & keep)
    place = time >> 6
    while place:
        total += tree[place]
        place &= place - 1
    return total


@njit(cache=True)
def _count(ids, start, times, words, tree, state, histogram):
    """Count from start on until times or histogram run out; say where."""
    now, num_distinct = state[0], state[1]
    num_times = 64 * len(words)
    place = start
    while place < len(ids):
        if now == num_times or num_distinct == len(histogram):
            break
        last = times[ids[place]]
        if last < 0:
            num_distinct += 1
        else:
            histogram[num_distinct - _num_until(words, tree, last)] += 1
            _flip(words, tree, last, -1)
        _flip(words, tree, now, 1)
        times[ids[place]] = now
        now += 1
        place += 1
    state[0], state[1] = now, num_distinct
    return place
