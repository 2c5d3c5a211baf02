"""Plain models of lab 04, and of what a learner may build instead.

They are slow and short: lists, no cleverness, so that the spec does not
take the library's word for its own answer.
"""

from collections.abc import Collection, Iterable, Sequence

Queued = tuple[str, int]  # a request id and its adapter

POLICIES = (
    "least recently used",
    "most recently used",
    "first in",
    "least often used",
    "one in the lowest slot",
)


class PlainCache:
    """A slot cache on a list of [adapter, last use, first use, uses]."""

    def __init__(self, max_loras: int, goes: str = POLICIES[0]) -> None:
        self.held: list = [None] * max_loras
        self.goes = goes
        self.hits = self.misses = self.evictions = self.now = 0

    def activate(self, adapter_id: int) -> int:
        """Return the adapter's slot, -1 for the base."""
        if adapter_id == -1:
            return -1
        self.now += 1
        for slot, entry in enumerate(self.held):
            if entry and entry[0] == adapter_id:
                self.hits += 1
                entry[1], entry[3] = self.now, entry[3] + 1
                return slot
        self.misses += 1
        slot = self._free_slot()
        self.held[slot] = [adapter_id, self.now, self.now, 1]
        return slot

    @property
    def slots(self) -> list[int | None]:
        """The adapter in each slot, None where it is empty."""
        return [entry and entry[0] for entry in self.held]

    def _free_slot(self):
        if None in self.held:
            return self.held.index(None)
        self.evictions += 1
        return min(range(len(self.held)), key=self._rank)

    def _rank(self, slot):
        _, last, first, uses = self.held[slot]
        return {
            "least recently used": last,
            "most recently used": -last,
            "first in": first,
            "least often used": (uses, last),
            "one in the lowest slot": slot,
        }[self.goes]


def plain_hits(
    trace: Iterable[int], max_loras: int, goes: str = POLICIES[0]
) -> int:
    """Return the hits of a PlainCache on a whole trace."""
    cache = PlainCache(max_loras, goes)
    for adapter_id in trace:
        cache.activate(adapter_id)
    return cache.hits


def plain_walk(
    waiting: Sequence[Queued],
    running: Sequence[Queued],
    max_loras: int,
    max_num_seqs: int | None = None,
    *,
    base: Collection[int] = (-1,),
    is_barrier: bool = False,
    counts_running: bool = True,
    counts_requests: bool = False,
    passes_base: bool = False,
    extra_slots: int = 0,
    has_seats: bool = True,
    seats_running: bool = True,
    seats_deferred: bool = False,
    extra_seats: int = 0,
) -> tuple[list[Queued], list[Queued]]:
    """Return what schedule_step must; each keyword is a slip, if given."""
    held = [item for _, item in running if item not in base]
    active = held if counts_running else []
    seats = len(waiting)
    if has_seats and max_num_seqs is not None:
        taken = len(running) if seats_running else 0
        seats = max_num_seqs - taken + extra_seats
    admitted: list[Queued] = []
    deferred: list[Queued] = []
    for request in waiting:
        adapter_id = request[1]
        is_base = adapter_id in base
        num_active = len(active if counts_requests else set(active))
        fits = num_active < max_loras + extra_slots or (
            adapter_id in active and not counts_requests
        )
        num_seated = len(admitted) + len(deferred) * seats_deferred
        has_seat = num_seated < seats or (is_base and passes_base)
        is_held_up = is_barrier and deferred
        if (is_base or fits) and has_seat and not is_held_up:
            admitted.append(request)
            active = active if is_base else [*active, adapter_id]
        else:
            deferred.append(request)
    return admitted, deferred
