"""Bounds: what no router can beat, so that one sees what is left to gain.

A router does three things at once: it chooses the engine, and with it who
leaves a slot, and for how long the request waits. Each bound here gives all
engines' slots to one cache that knows the future. What is in the slots of k
engines fits in that cache, so it has every adapter that any of them has,
and whoever finds an adapter on an engine finds it there too.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    finite_number,
    integer,
    integer_array,
    real_array,
    require_finite,
)
from multilora.cache.policies import belady_hits
from multilora.cache.reuse import check_trace
from multilora.fleet.homes import check_engines
from multilora.fleet.loads import check_counts, check_loads
from multilora.matmul.operands import BASE
from multilora.serving.workload import MAX_S

MAX_SLOTS = 10**6


def least_loads_in_order(trace: npt.ArrayLike, num_slots: int) -> int:
    """Return the fewest loads of any routing that starts requests in order.

    trace is the adapter of each request in order of arrival, -1 for the
    base; num_slots counts the slots of all engines, empty at first. It
    is the misses of one cache of that size whose eviction knows the future
    (policies.belady_hits). Engines that let requests overtake each other, as
    vLLM's scheduler does while a slot is missing, can need fewer: there
    least_loads holds. Raises ValueError as check_trace.
    """
    ids = check_trace(trace)
    slots = integer("num_slots", num_slots, 1, MAX_SLOTS)
    return len(ids) - belady_hits(ids, slots)


def least_loads(
    arrival_s: npt.ArrayLike,
    adapter_ids: npt.ArrayLike,
    num_slots: int,
    max_wait_s: float,
) -> int:
    """Return the fewest loads of any routing, in any order, with this wait.

    Every request must start within max_wait_s seconds of its arrival, in
    any order, on any engine. arrival_s ascends; the rest as
    least_loads_in_order. If D adapters are asked for from time a to time b,
    all of them are in a slot at some time from a to b + max_wait_s, and at
    most num_slots are at a: that takes D - num_slots loads, D from a cold
    start. Such windows, one after the other, add up; of several D the best
    sum is returned. Each adapter is loaded at least once. Raises ValueError
    for arrivals that descend.
    """
    times, ids = _checked(arrival_s, adapter_ids)
    slots = integer("num_slots", num_slots, 1, MAX_SLOTS)
    wait = finite_number("max_wait_s", max_wait_s, 0, MAX_S)
    best = num_distinct = len(np.unique(ids))
    # A third more each time: the best D lies between two that are tried.
    wanted = slots + 1
    while wanted <= num_distinct:
        best = max(best, _in_windows(times, ids, slots, wait, wanted))
        wanted = slots + max(wanted - slots + 1, (wanted - slots) * 4 // 3)
    return best


def _in_windows(times, ids, slots, wait, wanted) -> int:
    """Loads in windows of `wanted` adapters, each as early as can be."""
    loads = slots  # what was empty at the start is filled once
    free_from = -1.0
    asked: set[int] = set()
    for now, adapter_id in zip(times, ids, strict=True):
        if now <= free_from:
            continue
        asked.add(adapter_id)
        if len(asked) == wanted:
            loads += wanted - slots
            free_from = now + wait
            asked.clear()
    return loads


def least_busiest(
    loads: npt.ArrayLike, num_engines: int, counts: Iterable[int] | None = None
) -> float:
    """Return a load that the busiest engine has at least, however placed.

    loads is one number a tenant; counts on how many engines each is, an
    equal part on each. None splits loads freely: then it is the mean. With
    counts, of the j × num_engines + 1 largest parts some engine has j + 1,
    so the busiest has at least the j + 1 smallest of these together; j = 0
    is the largest part. Raises ValueError as turns.in_turn does.
    """
    row = check_loads(loads)
    num = check_engines(num_engines)
    mean = float(row.sum()) / num
    if counts is None:
        return mean
    copies = check_counts(counts, len(row), num)
    parts = np.sort(np.repeat(row / copies, copies))[::-1]
    together = [
        float(parts[j * num - j : j * num + 1].sum())
        for j in range((len(parts) - 1) // num + 1)
    ]
    return max(mean, *together)


def _checked(arrival_s, adapter_ids) -> tuple[list[float], list[int]]:
    times = real_array("arrival_s", arrival_s, "a row of seconds")
    ids = integer_array("adapter_ids", adapter_ids, "a row of adapter ids")
    require_finite("arrival_s", times)
    if times.ndim != 1 or times.shape != ids.shape or not times.size:
        raise ValueError(
            f"arrival_s has shape {times.shape} and adapter_ids {ids.shape}, "
            "but each request must have one of both"
        )
    if times[0] < 0 or (np.diff(times) < 0).any():
        raise ValueError("arrival_s must ascend from 0 or more seconds")
    if ids.min() < BASE:
        raise ValueError(f"adapter_ids holds {ids.min()}, allowed: -1 and up")
    is_adapter = ids != BASE
    return times[is_adapter].tolist(), ids[is_adapter].tolist()
