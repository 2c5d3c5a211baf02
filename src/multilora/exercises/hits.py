"""Part 3, first half: the slot cache and its hit rates."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from multilora import traffic
from multilora.cache.hitrate import (
    che_hit_curve,
    hit_rate_curve,
    lru_hit_curve,
)
from multilora.cache.policies import fifo_hits
from multilora.cache.slots import AdapterSlotCache
from multilora.exercises.answers import Function, Items, Number
from multilora.exercises.task import Exercise

BY_HAND = [7, 1, 5, 3, 5, -1, 1, 7, 3]


def final_slots() -> list[int | None]:
    """Return who is in each of three slots after BY_HAND."""
    return _walked(BY_HAND).slots


def _walked(trace, max_loras=3):
    cache = AdapterSlotCache(max_loras)
    for adapter_id in trace:
        cache.activate(adapter_id)
    return cache


def _first_in_first_out():
    slots: list[int] = []
    turn = 0
    for adapter_id in BY_HAND:
        if adapter_id in (-1, *slots):
            continue
        if len(slots) < 3:
            slots.append(adapter_id)
        else:
            slots[turn % 3] = adapter_id
            turn += 1
    return slots


def _hand_slips():
    used: list[int | None] = [item for item in BY_HAND if item != -1]
    by_use = sorted(set(final_slots()), key=lambda a: -used[::-1].index(a))
    as_adapter = [99 if item == -1 else item for item in BY_HAND]
    base = _walked(as_adapter).slots
    return [
        ("first in, first out is not LRU: a hit makes an adapter the newest",
         _first_in_first_out()),
        ("the right three, in the order of use: a list by slot is wanted, "
         "and an adapter never moves", by_use),
        ("the right three, in the order of use: a list by slot is wanted, "
         "and an adapter never moves", by_use[::-1]),
        ("the base took a slot; it needs none",
         [-1 if item == 99 else item for item in base]),
    ]  # fmt: skip


def cliff_hits(max_loras: int = 12) -> int:
    """Return the hits of 600 requests that go round 12 adapters."""
    return int(lru_hit_curve(traffic.cyclic(600, 12))[max_loras - 1])


def _cliff_slips():
    return {
        "the first round misses: nobody is in a slot yet": 600,
        "that is with 11 slots: count the last one too": cliff_hits(11),
        "those are the misses": 600 - cliff_hits(),
        "one round is as many requests as adapters": cliff_hits() + 1,
    }


def smallest_max_loras(
    trace: npt.ArrayLike, num_adapters: int, target: float
) -> int:
    """Return the fewest slots that hit at least `target`; 0 if none do."""
    return _first(hit_rate_curve(trace, num_adapters) >= target)


def _first(is_enough):
    return int(np.argmax(is_enough)) + 1 if is_enough.any() else 0


def _trace_cases():
    rng = np.random.default_rng(9)
    cases = [([0, 1, 0, 1, 0, 1, 0, 1], 2, 0.75), ([0, 1, 2] * 4, 3, 0.9)]
    cases += [(rng.integers(-1, 6, 60).tolist(), 6, 0.4) for _ in range(2)]
    draws: tuple[Callable[..., np.ndarray], ...] = (
        traffic.zipf, traffic.eighty_twenty, traffic.sticky,
    )  # fmt: skip
    return cases + [
        (draw(2_000, 40).tolist(), 40, target)
        for draw, target in zip(draws, (0.9, 0.8, 0.9), strict=True)
    ]


def _by_che(trace, num_adapters, target):
    asked = [item for item in trace if item >= 0]
    weights = np.bincount(asked, minlength=num_adapters)
    return _first(che_hit_curve(weights) >= target)


def _with_base(trace, num_adapters, target):
    hits = lru_hit_curve(trace, num_adapters)
    return _first(hits / len(trace) >= target)


def _by_fifo(trace, num_adapters, target):
    asked = [item for item in trace if item >= 0]
    rates = [fifo_hits(asked, n + 1) for n in range(num_adapters)]
    return _first(np.array(rates) / len(asked) >= target)


TRACE_SLIPS = [
    ("entry 0 of a curve is one slot: off by one",
     lambda *case: max(0, smallest_max_loras(*case) - 1)),
    ("at least the target, so a rate equal to it is enough",
     lambda trace, n, target: _first(hit_rate_curve(trace, n) > target)),
    ("Che only sees who is popular, not the order; count the trace", _by_che),
    ("base requests take no slot: leave them out of the rate", _with_base),
    ("first in, first out is not LRU", _by_fifo),
]  # fmt: skip


@cache
def sessions_that_fit(max_loras: int = 8, target: float = 0.9) -> int:
    """Return the most sessions at once that still hit 90 % on 8 slots."""
    num = 1
    while _session_rate(num + 1, max_loras) >= target:
        num += 1
    return num


@cache
def _session_rate(num_sessions, max_loras):
    trace = traffic.sticky(20_000, 40, stay=0.98, num_sessions=num_sessions)
    return hit_rate_curve(trace, 40)[max_loras - 1]


def _session_slips():
    return {
        "as many as slots is safe, but a little more still is: measure":
            8,
        "there it is already below 90 %": sessions_that_fit() + 1,
        "that is at 80 %": sessions_that_fit(target=0.8),
    }  # fmt: skip


def tenant_hit_rates(trace: Sequence[int], max_loras: int) -> dict[int, float]:
    """Return {adapter: its own hit rate} on an LRU cache."""
    cache = AdapterSlotCache(max_loras)
    hits: dict[int, int] = {}
    asked: dict[int, int] = {}
    for adapter_id in trace:
        before = cache.hits
        if cache.activate(adapter_id) >= 0:
            asked[adapter_id] = asked.get(adapter_id, 0) + 1
            hit = cache.hits - before
            hits[adapter_id] = hits.get(adapter_id, 0) + hit
    return {item: hits[item] / asked[item] for item in asked}


def _tenant_cases():
    short = [([7, 7, 8, 7], 1), ([0, 1, -1, 0, 2, 0, 1], 2)]
    return short + [
        (traffic.zipf(400, 12, seed=seed).tolist(), slots)
        for seed, slots in ((1, 3), (2, 6))
    ]


def _of_all(trace, max_loras):
    num = sum(item >= 0 for item in trace)
    rates = tenant_hit_rates(trace, max_loras)
    return {a: rate * trace.count(a) / num for a, rate in rates.items()}


def _base_is_a_tenant(trace, max_loras):
    rates = tenant_hit_rates([item + 1 for item in trace], max_loras)
    return {item - 1: rate for item, rate in rates.items()}


TENANT_SLIPS = [
    ("divide by the tenant's own requests, not by all", _of_all),
    ("those are miss rates", lambda *case: {
        a: 1 - rate for a, rate in tenant_hit_rates(*case).items()}),
    ("the base is no tenant: it takes no slot", _base_is_a_tenant),
    ("the base is no tenant: it takes no slot", lambda trace, slots: {
        **tenant_hit_rates(trace, slots), **{a: 0.0 for a in trace if a < 0}
    }),
    ("a tenant without a hit belongs into the table too, with 0.0",
     lambda *case: {
         a: rate for a, rate in tenant_hit_rates(*case).items() if rate}),
]  # fmt: skip


EXERCISES = [
    Exercise("lru_by_hand", "Three slots by hand", 1, 6, Items(
        final_slots, "slot by slot, with the base in none of them",
        _hand_slips)),
    Exercise("cliff", "The edge of the cliff", 1, 5, Number(
        cliff_hits, "{} hits of 600 with 12 slots, none with 11",
        _cliff_slips)),
    Exercise("smallest_max_loras", "Traffic that fits", 2, 15, Function(
        smallest_max_loras, _trace_cases,
        "the fewest slots that reach the target", TRACE_SLIPS)),
    Exercise("sessions", "Sessions at once", 1, 6, Number(
        sessions_that_fit, "{} sessions at once still hit 90 % on 8 slots",
        _session_slips)),
    Exercise("tenant_hit_rates", "What an average hides", 2, 12, Function(
        tenant_hit_rates, _tenant_cases,
        "each tenant's hits over his own requests", TENANT_SLIPS)),
]  # fmt: skip
