"""Lab 04's caches as the spec makes and reads them."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from multilora.labs.places import definition
from multilora.labs.slips import require
from multilora.labs.spec_04_models import POLICIES, PlainCache

C = TypeVar("C")


class SlotCache(Protocol):
    """What the learner's cache and the plain one have in common."""

    hits: int
    misses: int
    evictions: int

    @property
    def slots(self) -> Sequence[int | None]: ...

    def activate(self, adapter_id: int) -> int: ...


def make_cache(kind: Callable[[int], C], max_loras: int) -> C:
    """Return a cache of the learner's with all that the lab asks of it."""
    cache = kind(max_loras)
    require(
        callable(getattr(cache, "activate", None)),
        f"{definition(kind)}: the class has no method activate",
    )
    for name in ("hits", "misses", "evictions"):
        value = vars(cache).get(name, inspect.getattr_static(kind, name, None))
        require(
            value is not None,
            f"{definition(kind)}: the class counts no {name}; set "
            f"self.{name} = 0 in __init__",
        )
    for name in ("slots", "hit_rate"):
        value = vars(cache).get(name, inspect.getattr_static(kind, name, None))
        require(
            value is not None,
            f"{definition(kind)}: the class has no {name}, a property",
        )
        require(
            not inspect.isfunction(value),
            f"{definition(value)}: {name} is a method, but must be a "
            "property: put @property above its def",
        )
    return cache


def run_all(cache: SlotCache, ids: Iterable[int]) -> list[int]:
    """Return the slots that a cache gives to the ids, one by one."""
    return [cache.activate(adapter_id) for adapter_id in ids]


def counts(cache: SlotCache) -> str:
    """Return a cache's counts as text."""
    return (
        f"{cache.hits} hits, {cache.misses} misses, "
        f"{cache.evictions} evictions"
    )


def name_policy(
    kind: Callable[[int], SlotCache], traces: Sequence[Sequence[int]]
) -> None:
    """Raise SlipError if another adapter goes than the oldest in use.

    traces[i] is for i + 1 slots; another policy must explain them all.
    """
    numbered = [*enumerate(traces, 1)]
    mine = [_hits(make_cache(kind, n), trace) for n, trace in numbered]
    right, *others = POLICIES
    if mine == [_hits(PlainCache(n), trace) for n, trace in numbered]:
        return
    for goes in others:
        require(
            mine
            != [_hits(PlainCache(n, goes), trace) for n, trace in numbered],
            f"the adapter that goes is the {goes}, but must be the {right}",
        )


def name_first_other_step(
    kind: Callable[[int], SlotCache], max_loras: int, trace: Iterable[int]
) -> None:
    """Raise SlipError at the first request that goes another way."""
    mine, plain = make_cache(kind, max_loras), PlainCache(max_loras)
    for adapter_id in trace:
        before, evictions = plain.slots, plain.evictions
        slot, wanted = mine.activate(adapter_id), plain.activate(adapter_id)
        given = f"{before} in the slots, then {adapter_id}"
        require(
            mine.hits + mine.misses == plain.hits + plain.misses,
            f"{given}: a request for an adapter is a hit or a miss, never "
            f"both and never neither, counted {counts(mine)}",
        )
        require(
            mine.hits == plain.hits,
            f"{given}: that is a {'hit' if adapter_id in before else 'miss'}"
            f", but the other is counted, {counts(mine)}",
        )
        is_full = plain.evictions > evictions
        require(
            mine.evictions == plain.evictions,
            f"{given}: {'somebody' if is_full else 'nobody'} has to go, "
            f"counted {counts(mine)}, but must be {counts(plain)}",
        )
        gone, wrong = (
            [item for item in before if item not in held]
            for held in (plain.slots, list(mine.slots))
        )
        require(
            gone == wrong,
            f"{given}: {gone} must go, the least recently used, not {wrong}",
        )
        require(
            slot == wanted,
            f"{given}: the slot is {wanted}, not {slot}; the newcomer takes "
            "over the evicted one's",
        )
        require(
            list(mine.slots) == plain.slots,
            f"{given}: slots are {plain.slots}, not {mine.slots}",
        )


def _hits(cache, trace):
    """Return the hits after each request."""
    hits = []
    for adapter_id in trace:
        cache.activate(adapter_id)
        hits.append(cache.hits)
    return hits
