"""Time whole exact hit curves beside libcachesim's caches of one slot count.

Needs numba and libcachesim. Writing its trace file is not timed.
"""

import tempfile
from pathlib import Path

import numpy as np

from multilora import traffic
from multilora.cache.hitrate import HitCounter
from multilora.cache.policies import lru_hits
from multilora.evidence.timing import round_seconds
from peer_caches import libcachesim_hits, open_trace, write_trace

NUM_REQUESTS, NUM_ADAPTERS, NUM_SLOT_COUNTS = 10**6, 1000, 15


def slot_counts(num_adapters=NUM_ADAPTERS, how_many=NUM_SLOT_COUNTS):
    """Return how_many log-spaced slot counts, 1 to num_adapters, no twins."""
    counts = np.geomspace(1, num_adapters, how_many).round().astype(int)
    return sorted(set(counts.tolist()))


def curve(trace, num_adapters, engine):
    """Return hits at 1 to num_adapters slots, by one of our engines."""
    counter = HitCounter(engine)
    counter.add(trace)
    return counter.curve(num_adapters)


def require_equal(trace, num_adapters, reader, slots):
    """Raise AssertionError unless all engines count the same hits."""
    plain = curve(trace, num_adapters, "plain")
    assert np.array_equal(plain, curve(trace, num_adapters, "numba"))
    for num_slots in slots:
        theirs = libcachesim_hits(reader, "lru", num_slots, num_adapters)
        assert theirs == plain[num_slots - 1], num_slots
    middle = slots[len(slots) // 2]
    assert lru_hits(trace, middle) == plain[middle - 1]


def curve_row(
    num_requests=NUM_REQUESTS, num_adapters=NUM_ADAPTERS, num_rounds=7
):
    """Return one dict: libcachesim's time over that of each of our engines.

    "numba" and "plain" are for all slot counts against its fifteen, "numba,
    one" against the quickest single one of them. Raises AssertionError if
    any two count differently.
    """
    trace = traffic.zipf(num_requests, num_adapters)
    slots = slot_counts(num_adapters)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.bin")
        write_trace(path, trace)
        reader = open_trace(path)
        require_equal(trace, num_adapters, reader, slots)
        seconds = round_seconds(
            {num: _theirs(reader, num, num_adapters) for num in slots}
            | {
                engine: lambda engine=engine: curve(
                    trace, num_adapters, engine
                )
                for engine in ("numba", "plain")
            },
            num_rounds,
        )
    theirs = np.array([seconds[num_slots] for num_slots in slots])
    quickest = theirs[np.median(theirs, axis=1).argmin()]
    row = {"num_requests": num_requests, "num_adapters": num_adapters}
    row |= {"num_slot_counts": len(slots), "num_rounds": num_rounds}
    ratios = {
        "numba": theirs.sum(axis=0) / seconds["numba"],
        "plain": theirs.sum(axis=0) / seconds["plain"],
        "numba, one": quickest / seconds["numba"],
        "plain, one": quickest / seconds["plain"],
    }
    return row | {n: round(float(np.median(r)), 2) for n, r in ratios.items()}


def _theirs(reader, num_slots, num_adapters):
    return lambda: libcachesim_hits(reader, "lru", num_slots, num_adapters)
