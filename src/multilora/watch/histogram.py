"""Counts in buckets, as Prometheus keeps them."""

import math
from typing import NamedTuple

import numpy as np


class Histogram(NamedTuple):
    """Counts up to each bound, the last one infinite, and the sum."""

    bounds: np.ndarray
    counts: np.ndarray
    sum: float

    @property
    def num(self) -> int:
        return int(self.counts[-1]) if len(self.counts) else 0

    @property
    def mean(self) -> float:
        """The mean of what was counted; NaN where nothing was."""
        return self.sum / self.num if self.num else math.nan

    def since(self, before: "Histogram") -> "Histogram":
        """Return what was added since an earlier state of the same one."""
        if not np.array_equal(self.bounds, before.bounds):
            return self
        counts = self.counts - before.counts
        return Histogram(self.bounds, counts, self.sum - before.sum)

    def quantile(self, share: float) -> float:
        """Return the bound below which that share lies, at the least.

        NaN where nothing was counted; a bound is all that buckets tell.
        """
        if not self.num:
            return math.nan
        place = np.searchsorted(self.counts, share * self.num)
        return float(self.bounds[min(int(place), len(self.bounds) - 1)])

    def num_above(self, bound: float) -> int:
        """Return how many were above the first of the bounds from bound on."""
        place = int(np.searchsorted(self.bounds, bound))
        if place >= len(self.bounds):
            return 0
        return self.num - int(self.counts[place])
