"""How much each adapter is asked for, as Dynamo's router estimates it."""

import math
from collections import Counter, deque
from collections.abc import Callable

WINDOW_BUCKETS, BUCKET_NS = 90, 10**9
SMOOTHING = 0.3


class Rates:
    """Arrivals of the last 90 s an adapter, smoothed once a tick.

    Buckets of 1 s are counted from an adapter's first request. estimate is
    0.3 times the count and 0.7 times the estimate before; the first is the
    count itself. Source: Dynamo, lib/llm/src/lora/load_estimator.rs (window
    of 30 ticks) and predictor.rs.
    """

    def __init__(self) -> None:
        self.starts_ns: dict[int, int] = {}
        self.buckets: dict[int, deque[list[int]]] = {}
        self.counts: Counter[int] = Counter()
        self.estimates: dict[int, float] = {}

    def arrived(self, adapter_id: int, now_ns: int) -> None:
        """Count a request."""
        start_ns = self.starts_ns.setdefault(adapter_id, now_ns)
        buckets = self.buckets.setdefault(adapter_id, deque())
        bucket = (now_ns - start_ns) // BUCKET_NS
        if buckets and buckets[-1][0] == bucket:
            buckets[-1][1] += 1
        else:
            buckets.append([bucket, 1])
        self.counts[adapter_id] += 1

    def loads(self, now_ns: int) -> dict[int, int]:
        """Return the load of each adapter with one, and smooth: a tick."""
        found = {}
        for adapter_id, buckets in self.buckets.items():
            bucket = (now_ns - self.starts_ns[adapter_id]) // BUCKET_NS
            while buckets and buckets[0][0] <= bucket - WINDOW_BUCKETS:
                self.counts[adapter_id] -= buckets.popleft()[1]
            count = float(self.counts[adapter_id])
            before = self.estimates.get(adapter_id)
            if before is not None:
                count = SMOOTHING * count + (1 - SMOOTHING) * before
            self.estimates[adapter_id] = count
            if load := int(count + 0.5):  # half away from zero, as Rust
                found[adapter_id] = load
        return found


def num_replicas(
    loads: dict[int, int],
    num_slots: int,
    num_engines: int,
    name: Callable[[int], str],
) -> dict[int, int]:
    """Return how many homes each adapter with a load gets: its share.

    Only the num_slots largest loads count, of equals the first name. Each
    gets ceil(share of their load * num_slots), at least 1 and at most
    num_engines. Where these are more than num_slots, all are scaled down,
    to at least 1, and what is left goes to the largest remainders; the sum
    can still be more than num_slots. Source: Dynamo, controller.rs,
    compute_active_replica_counts.
    """
    kept = sorted(loads, key=lambda k: (-loads[k], name(k)))[:num_slots]
    total = sum(loads[k] for k in kept)
    counts = {
        k: min(max(math.ceil(loads[k] / total * num_slots), 1), num_engines)
        for k in kept
    }
    asked = sum(counts.values())
    if asked <= num_slots:
        return counts
    scaled = {k: max(counts[k] * (num_slots / asked), 1.0) for k in kept}
    whole = {k: int(scaled[k]) for k in kept}
    left = num_slots - sum(whole.values())
    for k in sorted(kept, key=lambda k: (whole[k] - scaled[k], name(k))):
        if left <= 0:
            break
        if whole[k] < num_engines:
            whole[k] += 1
            left -= 1
    return whole
