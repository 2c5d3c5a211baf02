"""Hits against slots: exact for a trace, approximate for a popularity."""

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from multilora.arguments import (
    integer,
    real_array,
    require_finite,
    shown,
)
from multilora.cache import reuse
from multilora.cache.fast import use_numba
from multilora.cache.reuse import check_trace
from multilora.traffic.generators import MAX_ADAPTERS

PIECE = 2**20  # requests between two steps of the progress bar


def lru_hit_curve(
    trace: npt.ArrayLike, num_adapters: int | None = None
) -> np.ndarray:
    """Return hits of an LRU cache at every slot count 1..K, in one pass.

    trace is a sequence of adapter ids (0 and up); base rows (-1) take no
    slot and are left out. K is num_adapters, or the number of distinct ids.
    Entry c - 1 is the hits with c slots, an int64 array of length K.
    A request is a hit with c slots exactly when fewer than c distinct
    adapters were asked for since its last use (Mattson et al. 1970). Long
    traces are counted by numba where it is installed; HitCounter leaves
    that choice to you. policies.lru_hits is the readable twin, for one slot
    count.
    Raises ValueError for an empty trace, ids below -1, or a num_adapters
    below the number of distinct ids.
    """
    return _counted(trace).curve(num_adapters)


def _counted(trace):
    """Return the HitCounter of a whole trace, by numba where it is long."""
    trace = check_trace(trace)
    counter = HitCounter("numba" if use_numba("auto", len(trace)) else "plain")
    counter.add(trace)
    return counter


def _empty_stack(engine):
    if use_numba(engine, num_requests=np.inf):
        from multilora.cache import reuse_numba

        return reuse_numba.ReuseStack()
    return reuse.ReuseStack()


class HitCounter:
    """The hit curve of a trace that comes in pieces, kept up to date.

    What it remembers grows with the number of adapters, not of requests.
    engine is one of fast.ENGINES; "auto" is numba where it is installed.
    """

    def __init__(self, engine: str = "auto") -> None:
        self.num_requests = 0
        self._stack = _empty_stack(engine)
        self._num_at_depth = np.zeros(1, dtype=np.int64)

    def add(self, trace: npt.ArrayLike, progress: bool = False) -> None:
        """Count the next piece of a trace, with a bar if progress is true.

        Each call takes a sequence of ids; errors are those of check_trace,
        and a piece that raises one changes nothing.
        """
        ids = check_trace(trace)
        with tqdm(total=len(ids), unit=" requests", unit_scale=True,
                  disable=not progress) as bar:  # fmt: skip
            for start in range(0, len(ids), PIECE):
                part = ids[start : start + PIECE]
                self._num_at_depth = self._stack.count(
                    part, self._num_at_depth
                )
                self.num_requests += len(part)
                bar.update(len(part))

    def curve(self, num_adapters: int | None = None) -> np.ndarray:
        """Return the hits so far at 1..K slots, as lru_hit_curve does."""
        num_distinct = self._stack.num_distinct
        if num_adapters is None:
            num_adapters = num_distinct
        num_adapters = integer(
            "num_adapters", num_adapters, num_distinct, MAX_ADAPTERS
        )
        at_depth = np.zeros(num_adapters, dtype=np.int64)
        num_used = min(num_adapters, len(self._num_at_depth))
        at_depth[:num_used] = self._num_at_depth[:num_used]
        return np.cumsum(at_depth)


def hit_rate_curve(
    trace: npt.ArrayLike, num_adapters: int | None = None
) -> np.ndarray:
    """Return lru_hit_curve as a share of the adapter requests."""
    counter = _counted(trace)
    return counter.curve(num_adapters) / counter.num_requests


def che_hit_curve(popularity: npt.ArrayLike) -> np.ndarray:
    """Return Che's approximation of the LRU hit rate at 1..K slots.

    popularity holds K weights, normalised here; requests are taken to be
    independent, which sticky or cyclic traffic is not. For c slots, find
    the time t at which the adapters seen within t number c on average,
    sum(1 - exp(-p t)) = c; an adapter hits if it was seen within t.
    Within 0.02 of exact for 16 adapters and more under Zipf exponents up to
    1.2; stronger skew is worse, 0.045 at exponent 2.
    Source: Che, Tung and Wang 2002, Hierarchical Web Caching Systems.
    Raises ValueError for an empty, negative, NaN or all-zero popularity.
    """
    weights = real_array("popularity", popularity, "one weight an adapter,")
    if weights.ndim != 1 or not weights.size:
        raise ValueError(
            f"popularity has shape {weights.shape}, but must be one weight "
            "an adapter, at least one"
        )
    require_finite("popularity", weights)
    if weights.min() < 0 or not weights.any():
        raise ValueError(
            f"popularity is {shown(popularity)}, but must be non-negative "
            "weights that are not all zero"
        )
    p = np.asarray(weights, dtype=float) / weights.max()
    p = p / p.sum()
    asked = p[p > 0]
    times = np.geomspace(1e-3, 60 / asked.min(), 2_000)
    num_seen, rates = [], []
    # In pieces, so that memory stays bounded for many adapters.
    for part in np.array_split(times, 1 + len(times) * len(p) // 4_000_000):
        seen = -np.expm1(-np.outer(part, asked))
        num_seen.append(seen.sum(axis=1))
        rates.append(seen @ asked)
    slots = np.arange(1, len(p) + 1)
    rates = np.interp(slots, np.concatenate(num_seen), np.concatenate(rates))
    return np.where(slots >= len(asked), 1.0, rates)
