"""Hits against slots: exact for a trace, approximate for a popularity."""

import numpy as np

from multilora.arguments import (
    any_array,
    integer,
    real_array,
    require_finite,
    shown,
)
from multilora.operands import BASE
from multilora.traffic import MAX_ADAPTERS

FIRST_USE = -1


def lru_hit_curve(trace, num_adapters=None):
    """Return hits of an LRU cache at every slot count 1..K, in one pass.

    trace is a sequence of adapter ids (0 and up); base rows (-1) take no
    slot and are left out. K is num_adapters, or the number of distinct ids.
    Entry c - 1 is the hits with c slots, an int64 array of length K.
    A request is a hit with c slots exactly when fewer than c distinct
    adapters were asked for since its last use (Mattson et al. 1970). The
    time grows with len(trace) × K.
    Raises ValueError for an empty trace, ids below -1, or a num_adapters
    below the number of distinct ids.
    """
    depths = reuse_depths(trace)
    num_distinct = int((depths == FIRST_USE).sum())
    if num_adapters is None:
        num_adapters = num_distinct
    num_adapters = integer(
        "num_adapters", num_adapters, num_distinct, MAX_ADAPTERS
    )
    reused = depths[depths != FIRST_USE]
    return np.cumsum(np.bincount(reused, minlength=num_adapters))


def reuse_depths(trace):
    """Return how many other adapters came since each request's last use.

    One int64 an adapter request of the trace (base rows, -1, left out),
    FIRST_USE for an adapter's first. An LRU cache of c slots hits exactly
    where the depth is from 0 to c - 1. The time grows with len(trace) × the
    number of distinct ids.
    """
    stack = []  # most recently used first
    depths = []
    for adapter_id in check_trace(trace).tolist():
        try:
            depth = stack.index(adapter_id)
        except ValueError:
            depths.append(FIRST_USE)
            stack.insert(0, adapter_id)
            continue
        depths.append(depth)
        if depth:
            stack.insert(0, stack.pop(depth))
    return np.array(depths, dtype=np.int64)


def hit_rate_curve(trace, num_adapters=None):
    """Return lru_hit_curve as a share of the adapter requests."""
    return lru_hit_curve(trace, num_adapters) / len(check_trace(trace))


def che_hit_curve(popularity):
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


def check_trace(trace):
    """Return the adapter requests of a trace: its ids without the base."""
    ids = np.asarray(any_array(trace))
    if ids.dtype.kind not in "iu" and ids.size:
        raise TypeError(
            f"trace is {shown(trace)}, but must be integer adapter ids"
        )
    if ids.ndim != 1 or not ids.size or ids.min() < BASE:
        raise ValueError(
            f"trace is {shown(trace)}, but must be a row of adapter ids, "
            "-1 (base) or more, at least one"
        )
    ids = ids[ids != BASE]
    if not ids.size:
        raise ValueError("trace holds base requests only (-1): no adapters")
    return ids
