"""The API server in front of the engine, which a first use holds up.

One process takes requests in and hands tokens out. The first request of an
adapter occupies it, and so does the first request of all.
"""

from typing import NamedTuple

import numpy as np

from multilora.matmul.operands import BASE
from multilora.serving.cost import StepCost
from multilora.serving.workload import Workload


class Front(NamedTuple):
    """When each request reaches the engine (ns), and when nothing passes.

    begins and ends are the stalls, in order, none within another.
    """

    at_engine_ns: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    def seen_ns(self, times_ns: np.ndarray) -> np.ndarray:
        """Return when clients see what the engine hands out at times_ns."""
        if not len(self.begins):
            return times_ns
        stall = np.searchsorted(self.begins, times_ns, side="right") - 1
        ends = np.where(stall >= 0, self.ends[stall], 0)
        return np.maximum(times_ns, ends)


def pass_front(
    workload: Workload, cost: StepCost, used_before: list[int]
) -> Front:
    """Return the Front of a run; requests pass in order of arrival.

    An adapter's first request takes first_use_ns of cost, unless it is among
    used_before; the first request of all takes warm_up_ns more, unless
    anything was used before. Each waits until the server is free.
    """
    ids, arrival = workload.adapter_ids, workload.arrival_ns
    asked, first = np.unique(ids, return_index=True)
    is_new = (asked != BASE) & ~np.isin(asked, used_before)
    work = np.zeros(len(ids), dtype=np.int64)
    work[first[is_new]] = cost.first_use_ns
    if not used_before:
        work[0] += cost.warm_up_ns
    if not work.any():
        return Front(arrival, arrival[:0], arrival[:0])
    done = np.cumsum(work)
    # Free after request i: the latest start among those before, plus work.
    free = done + np.maximum.accumulate(arrival - (done - work))
    stalls = work > 0
    return Front(free, (free - work)[stalls], free[stalls])
