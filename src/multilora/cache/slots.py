"""The slot cache and the scheduler's walk behind max_loras."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from multilora.arguments import integer, is_integer, items, shown
from multilora.matmul.operands import BASE

R = TypeVar("R")  # a request, of whatever class the caller has


class Request(NamedTuple):
    """A request in a queue; adapter_id -1 means base."""

    request_id: str
    adapter_id: int


class AdapterSlotCache:
    """max_loras slots, least recently used out first, honest counting.

    A slot holds one adapter; an adapter keeps its slot until it is evicted,
    and the newcomer takes the evicted slot over.
    """

    def __init__(self, max_loras: int) -> None:
        self.max_loras = integer("max_loras", max_loras, minimum=1)
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        # adapter id -> slot, oldest use first
        self._slot_of: OrderedDict[int, int] = OrderedDict()

    def activate(self, adapter_id: int) -> int:
        """Return the slot of an adapter, loading it if it has none.

        The base (-1) takes no slot: -1 comes back and nothing is counted.
        Free slots are filled lowest first. Raises ValueError for an id
        below -1, TypeError for one that is not an integer.
        """
        adapter_id = integer("adapter_id", adapter_id, minimum=BASE)
        return BASE if adapter_id == BASE else self._use(adapter_id)

    def _use(self, adapter_id):
        if adapter_id in self._slot_of:
            self.hits += 1
            self._slot_of.move_to_end(adapter_id)
            return self._slot_of[adapter_id]
        self.misses += 1
        slot = len(self._slot_of)
        if slot == self.max_loras:
            slot = self._slot_of.pop(self._oldest())
            self.evictions += 1
        self._slot_of[adapter_id] = slot
        return slot

    def _oldest(self):
        return next(iter(self._slot_of))

    @property
    def hit_rate(self) -> float:
        """Hits over requests for adapters; 0.0 before the first one."""
        total = self.hits + self.misses
        return self.hits / total if total else 0.0

    @property
    def slots(self) -> list[int | None]:
        """The adapter in each slot by index, None where it is empty."""
        held: list[int | None] = [None] * self.max_loras
        for adapter_id, slot in self._slot_of.items():
            held[slot] = adapter_id
        return held


def schedule_step(
    waiting: Iterable[R],
    running: Iterable[object],
    max_loras: int,
    max_num_seqs: int | None = None,
) -> tuple[list[R], list[R]]:
    """Return (admitted, deferred) of one walk over the waiting queue.

    waiting and running are sequences of Request, of (request_id, adapter_id)
    tuples, or of anything with an adapter_id. A request whose adapter would
    be one distinct adapter too many among running and admitted is deferred:
    skipped, not a barrier, so later ones are still looked at. Base requests
    (-1) always pass. Both results keep the queue's order, and together they
    are the queue. max_num_seqs adds the engine's seats; a full house *is* a
    barrier: all behind it stay waiting, in `deferred` too.
    As vLLM v1's Scheduler.schedule, for one step without token budget.
    Raises ValueError when running already holds more than max_loras
    adapters, or for an id below -1; TypeError for what is no request.
    """
    max_loras = integer("max_loras", max_loras, minimum=1)
    waiting = _requests("waiting", waiting)
    running = _requests("running", running)
    active = {_adapter_of(request) for request in running} - {BASE}
    if len(active) > max_loras:
        raise ValueError(
            f"running holds {len(active)} distinct adapters, "
            f"but must hold at most max_loras = {max_loras}"
        )
    seats = len(waiting)
    if max_num_seqs is not None:
        seats = integer("max_num_seqs", max_num_seqs, minimum=1) - len(running)
    admitted: list[R] = []
    deferred: list[R] = []
    for request in waiting:
        adapter_id = _adapter_of(request)
        fits = adapter_id in active or len(active) < max_loras
        if len(admitted) < seats and (adapter_id == BASE or fits):
            admitted.append(request)
            active |= {adapter_id} - {BASE}
        else:
            deferred.append(request)
    return admitted, deferred


def _requests(name: str, queue: Iterable[R]) -> list[R]:
    requests = items(name, queue, object)
    for request in requests:
        adapter_id = _adapter_of(request)
        if not is_integer(adapter_id):
            raise TypeError(
                f"{name} holds {shown(request)}, but a request is "
                "(request_id, adapter_id) with an integer adapter_id"
            )
        integer(f"adapter_id of {shown(request)} in {name}", adapter_id, BASE)
    return requests


def _adapter_of(request):
    is_pair = isinstance(request, tuple) and len(request) == 2
    return getattr(request, "adapter_id", request[1] if is_pair else None)
