"""The spec of lab 04, third part: hits against slots."""

import numpy as np

from multilora.arguments import shown
from multilora.labs.slips import SlipError, require
from multilora.labs.spec_04_models import plain_hits


def test_the_curve_equals_one_cache_a_slot_count(lru_hit_curve):
    trace = [0, 1, 2, 0, 3, 1, -1, 0, 4, 2, 0, 1]
    curve = _entries(lru_hit_curve(trace, 6))
    require(
        all(value == int(value) for value in curve),
        f"hits are counts, but {curve} holds fractions: are these rates?",
    )
    got = [int(value) for value in curve]
    wanted = _curve(trace, 6)
    _require_length(got, 5, 6)
    require(
        got[:-1] != wanted[1:] and got[1:] != wanted[:-1],
        "off by one: entry 0 is one slot",
    )
    _name_slip(got, trace, wanted)
    require(got == wanted, f"hits at 1..6 slots are {wanted}, not {got}")

    own = len(_entries(lru_hit_curve(trace)))
    require(
        own == 5,
        f"without num_adapters the curve has one entry for each of the 5 "
        f"distinct adapters, not {own}; the base is none of them",
    )


def test_the_curve_of_any_trace(lru_hit_curve):
    rng = np.random.default_rng(11)
    for num_requests in (1, 7, 40, 80):
        ids = rng.choice([-1, 0, 2, 3, 50, 7, 11], num_requests)
        trace = [4, *ids.tolist()]  # one adapter at least
        kept = list(trace)
        num_distinct = len({*trace} - {-1})
        for num_adapters in (None, num_distinct, num_distinct + 2):
            more = () if num_adapters is None else (num_adapters,)
            got = _entries(lru_hit_curve(trace, *more))
            require(
                trace == kept,
                "the trace was changed in place: work on a copy",
            )
            wanted = _curve(trace, num_adapters or num_distinct)
            _require_length(got, num_distinct, num_adapters)
            _name_slip(got, trace, wanted)
            require(
                got == wanted,
                f"the trace {trace} hits {wanted} times at 1..{len(wanted)} "
                f"slots, not {got}",
            )


def _require_length(got, num_distinct, num_adapters):
    num_wanted = num_adapters or num_distinct
    is_ignored = len(got) == num_distinct != num_wanted
    require(
        len(got) == num_wanted,
        f"the curve has {len(got)} entries for {num_distinct} distinct "
        f"adapters and num_adapters {num_adapters}, but must have "
        f"{num_wanted}" + ("; num_adapters is ignored" * is_ignored),
    )


def _entries(curve):
    is_row = isinstance(curve, list | tuple) or np.ndim(curve) == 1
    require(
        is_row,
        f"the curve is a {type(curve).__name__}, {shown(curve)}, but must be "
        "an array or list with one entry a slot count",
    )
    return curve.tolist() if isinstance(curve, np.ndarray) else list(curve)


def _curve(trace, num_slots, goes="least recently used"):
    return [plain_hits(trace, n, goes) for n in range(1, num_slots + 1)]


def _name_slip(got, trace, wanted):
    """Raise the sentence of the slip that gives these numbers, if any."""
    if got == wanted:
        return
    ids = [adapter_id for adapter_id in trace if adapter_id != -1]
    num_first = len(set(ids))
    slips = {
        "these are misses: count the hits": [len(ids) - n for n in wanted],
        "hits add up: what hits with c slots hits with c + 1 too": np.diff(
            wanted, prepend=0
        ),
        "upside down: entry 0 is one slot": wanted[::-1],
        "first in, first out is not LRU": _curve(
            trace, len(wanted), "first in"
        ),
        "the first request for an adapter is no hit": [
            n + num_first for n in wanted
        ],
        "the base was counted: it takes no slot, leave out -1": _curve(
            [-2 if item == -1 else item for item in trace], len(wanted)
        ),
    }
    for sentence, wrong in slips.items():
        if list(got) == list(wrong):
            raise SlipError(sentence)
