"""Lab 04, your part: the slot cache and the scheduler. About 80 minutes.

Replace each `return None`. Then, from the folder of the README:
make grade LAB=04
"""


class AdapterSlotCache:
    """max_loras slots, least recently used out first (30 minutes)."""

    def __init__(self, max_loras):
        self.max_loras = max_loras
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    def activate(self, adapter_id):
        """Return the adapter's slot, loading it if it has none.

        Count a hit or a miss, and an eviction when one makes room. The
        newcomer takes the slot of the evicted one. The base, -1, takes no
        slot and is not counted: return -1.
        """
        return None

    @property
    def slots(self):
        """The adapter in each slot, a list; None where it is empty."""
        return None

    @property
    def hit_rate(self):
        """Hits over hits and misses; 0.0 before the first request."""
        return None


def schedule_step(waiting, running, max_loras, max_num_seqs=None):
    """Return (admitted, deferred) of one walk over the queue (25 minutes).

    Requests are (request_id, adapter_id) tuples, -1 is base. Defer what
    would be one distinct adapter too many among running and admitted, and
    go on: later requests may fit. Keep the order in both lists, and leave
    the two you were given as they are.
    max_num_seqs, if given, is the number of seats: when it is full, nobody
    behind is admitted either.
    """
    return None


def lru_hit_curve(trace, num_adapters=None):
    """Return hits of an LRU cache at 1, 2, …, K slots (20 minutes).

    K is num_adapters or the number of distinct ids; leave out ids of -1.
    One cache a slot count is right and slow. One pass is possible: how
    many distinct adapters came since this one was last used?
    """
    return None
