"""The API server in front of the engine, which first uses hold up.

One process takes requests in and hands tokens out. The first request of an
adapter occupies it for a while; where such whiles overlap, nothing passes
before the last of them is over.
"""

from typing import NamedTuple

import numpy as np

from multilora.matmul.operands import BASE
from multilora.serving.cost import StepCost
from multilora.serving.workload import Workload


class Front(NamedTuple):
    """When each request reaches the engine (ns), and when nothing passes.

    begins and ends are the stalls, in order, with time between them.
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
    """Return the Front of a run: who arrives in a stall passes at its end.

    An adapter's first request stalls the server for first_use_ns of cost,
    unless the adapter is among used_before. That stalls overlap, and do not
    queue, is what real hours say: see evidence.hours_score.
    """
    ids, arrival = workload.adapter_ids, workload.arrival_ns
    through = Front(arrival, arrival[:0], arrival[:0])
    if not cost.first_use_ns:
        return through
    asked, first = np.unique(ids, return_index=True)
    is_new = (asked != BASE) & ~np.isin(asked, used_before)
    if not is_new.any():
        return through
    starts = np.sort(arrival[first[is_new]])
    over = starts + cost.first_use_ns
    is_apart = np.append(True, starts[1:] > over[:-1])
    begins = starts[is_apart]
    ends = over[np.append(np.flatnonzero(is_apart)[1:] - 1, len(over) - 1)]
    front = Front(arrival, begins, ends)
    return front._replace(at_engine_ns=front.seen_ns(arrival))
