"""llm-d's two LoRA scorers: by names in flight, and by residents."""

from collections.abc import Callable, Sequence

from multilora.routing.given import Ask, Seen, Setup
from multilora.routing.hashes import fnv

ACTIVE, ROOM, QUEUED, NO_ROOM = 1.0, 0.8, 0.6, 0.0
IN_GPU, IN_CPU, FREE_SLOT, EVICTABLE, SATURATED = 1.0, 0.7, 0.6, 0.3, 0.0
PLACEMENT_BONUS, HEADROOM_BONUS = 0.03, 0.03

# One score an engine of the request, in its order, each from 0 to 1.
Score = Callable[[Ask], list[float]]


def affinity(setup: Setup, is_union: bool) -> Score:
    """Return lora-affinity-scorer; is_union: a name counts once."""
    slots = setup.slots

    def score(adapter_id: int, engine: int, seen: Seen) -> float:
        if adapter_id in seen.running:
            return ACTIVE
        if is_union:
            num_names = len(seen.running | seen.waiting)
        else:
            num_names = len(seen.running) + len(seen.waiting)
        if num_names < slots(engine):
            return ROOM
        return QUEUED if adapter_id in seen.waiting else NO_ROOM

    return lambda ask: [
        score(ask.adapter_id, k, ask.seen[k]) for k in ask.engines
    ]


def load_state(setup: Setup) -> Score:
    """Return lora-load-state-scorer, with its default parameters."""
    scale = 1 - (PLACEMENT_BONUS + HEADROOM_BONUS)
    preferred = _preferred(setup)

    def score(ask: Ask, engine: int, home: int) -> float:
        seen, slots = ask.seen[engine], setup.slots(engine)
        free = max(slots - len(seen.in_slots), 0)
        if ask.adapter_id < 0:
            return free / slots * scale
        points = _tier(ask.adapter_id, seen, free) * scale
        if engine == home and ask.adapter_id not in seen.in_slots:
            points += PLACEMENT_BONUS
        return points + HEADROOM_BONUS * free / slots

    def scores(ask: Ask) -> list[float]:
        home = preferred(ask.adapter_id, ask.engines)
        return [score(ask, engine, home) for engine in ask.engines]

    return scores


def _tier(adapter_id: int, seen: Seen, free: int) -> float:
    if adapter_id in seen.in_slots:
        return IN_GPU
    if adapter_id in seen.in_cpu:
        return IN_CPU
    if free:
        return FREE_SLOT
    return EVICTABLE if seen.in_slots - seen.running else SATURATED


def _preferred(setup: Setup) -> Callable[[int, Sequence[int]], int]:
    """Return the engine whose URL has the highest hash with an adapter."""
    homes: dict[tuple[int, tuple[int, ...]], int] = {}

    def hashed(adapter_id: int, engine: int) -> int:
        name, url = setup.adapter_name(adapter_id), setup.url(engine)
        return fnv(f"{name}\0{url}".encode())

    def preferred(adapter_id: int, engines: Sequence[int]) -> int:
        key = adapter_id, tuple(engines)
        if key not in homes:
            homes[key] = max(engines, key=lambda k: hashed(adapter_id, k))
        return homes[key]

    return preferred
