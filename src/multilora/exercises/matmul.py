"""Part 1: deltas, ids, segments, padding."""

from collections.abc import Sequence

import numpy as np

from multilora.exercises.answers import Function, Number
from multilora.exercises.task import Exercise
from multilora.matmul.groups import group_rows
from multilora.matmul.lora import apply_batched, lora_delta, pad_adapter
from multilora.matmul.segments import segments_of
from multilora.matmul.traps import apply_by_gather
from multilora.memory.ledger import memory_ledger
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_shape


def delta_from_alpha(
    x: np.ndarray, A: np.ndarray, B: np.ndarray, alpha: float
) -> np.ndarray:
    """Return lora_delta with the scaling alpha / r."""
    return lora_delta(x, A, B, alpha / A.shape[0])


def _delta_cases():
    rng = np.random.default_rng(1)

    def whole(*shape):
        return rng.integers(-3, 4, shape).astype(float)

    by_hand = (np.ones((1, 4)), whole(2, 4) + 1, whole(3, 2) + 1, 8.0)
    return [by_hand] + [
        (whole(rows, 12), whole(r, 12), whole(20, r), alpha)
        for rows, r, alpha in ((2, 4, 16.0), (3, 8, 4.0), (5, 16, 8.0))
    ]


def _scaled(scaling):
    return lambda x, A, B, alpha: lora_delta(x, A, B, scaling(A, alpha))


DELTA_SLIPS = [
    ("the scaling is forgotten", _scaled(lambda A, alpha: 1.0)),
    (
        "the scaling is alpha alone: divide it by the rank",
        _scaled(lambda A, alpha: alpha),
    ),
    (
        "the scaling is upside down: alpha over rank",
        _scaled(lambda A, alpha: A.shape[0] / alpha),
    ),
    (
        "alpha is divided by A's columns; its rows are the rank",
        _scaled(lambda A, alpha: alpha / A.shape[1]),
    ),
    (
        "alpha over the root of the rank is rsLoRA's scaling, not this one",
        _scaled(lambda A, alpha: alpha / A.shape[0] ** 0.5),
    ),
]


def leaked_rows(
    adapter_ids: Sequence[int], num_adapters: int
) -> dict[int, int]:
    """Return {row: adapter} of the rows that a gather answers wrongly.

    Each adapter k adds k + 1 to a row of one number, so that the sum tells
    whose it was.
    """
    x, W = np.ones((len(adapter_ids), 1)), np.zeros((1, 1))
    A = np.ones((num_adapters, 1, 1))
    B = A * np.arange(1.0, num_adapters + 1)[:, None, None]
    got = apply_by_gather(x, W, A, B, adapter_ids, 1.0)[:, 0]
    pairs = list(zip(A, B, strict=True))
    right = apply_batched(x, W, pairs, adapter_ids, [1.0] * num_adapters)
    wrong = np.flatnonzero(got != right[:, 0])
    return {int(row): int(got[row]) - 1 for row in wrong}


def _id_cases():
    rng = np.random.default_rng(2)
    return [([0, -1], 2), ([3, -1, 0, 2, -1, 1], 4), ([0, 1], 2)] + [
        (rng.integers(-1, n, 12).tolist(), n) for n in (3, 5, 8)
    ]


def _leaks(adapter_of):
    return lambda ids, num: {
        row: adapter_of(num) for row, item in enumerate(ids) if item == -1
    }


LEAK_SLIPS = [
    (
        "the rows are right, but −1 is no adapter: whose weights are read?",
        _leaks(lambda num: -1),
    ),
    ("−1 is not the first adapter; Python counts it from the end",
     _leaks(lambda num: 0)),
    ("off by one: of n adapters the last is n − 1", _leaks(lambda num: num)),
    (
        "every row is listed; only those that want the base are wrong",
        lambda ids, num: {row: item % num for row, item in enumerate(ids)},
    ),
]  # fmt: skip


def segments(adapter_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the spans of segments_of as a list."""
    return list(segments_of(adapter_ids).spans)


def _segment_cases():
    rng = np.random.default_rng(3)
    short = [[0], [1, 0, 1], [2, 0, -1, 2, 1, 0, 2, -1]]
    drawn = [rng.integers(-1, 6, n).tolist() for n in (6, 16, 40)]
    return [(ids,) for ids in short + drawn]


def _by_first_mention(ids):
    spans, end = [], 0
    for item in dict.fromkeys(ids):
        spans.append((item, end, end + ids.count(item)))
        end += ids.count(item)
    return spans


def _base_last(ids):
    groups = dict(group_rows(ids, len(ids)))
    rows = [k for k in groups if k != -1] + [k for k in groups if k == -1]
    return _by_first_mention([k for k in rows for _ in groups[k]])


SEGMENT_SLIPS = [
    ("the base's rows are a segment too, and it comes first: id −1",
     lambda ids: segments([i for i in ids if i >= 0] or ids)),
    ("ascending ids put the base, −1, first", _base_last),
    ("segments go by ascending id, not by first mention", _by_first_mention),
    ("a stop is the row after the last one, as in a slice",
     lambda ids: [(i, a, b - 1) for i, a, b in segments(ids)]),
    ("the third number is where a segment stops, not how long it is",
     lambda ids: [(i, a, b - a) for i, a, b in segments(ids)]),
]  # fmt: skip


def wasted_share(ranks: Sequence[int], max_lora_rank: int) -> float:
    """Return the share of zeros in slots that hold adapters of these ranks."""
    slots = [
        pad_adapter(np.ones((r, 3)), np.ones((5, r)), max_lora_rank)
        for r in ranks
    ]
    return float(np.mean([np.mean(half == 0) for s in slots for half in s]))


def _rank_cases():
    rng = np.random.default_rng(4)
    fixed = [([8], 16), ([8] * 7 + [64], 64), ([8, 16, 16], 64)]
    return fixed + [
        (rng.choice([4, 8, 16, 32], n).tolist(), 64) for n in (3, 8, 12)
    ]


WASTE_SLIPS = [
    ("that is the share in use; the rest is wasted",
     lambda ranks, top: 1 - wasted_share(ranks, top)),
    ("that is in per cent; a share lies between 0 and 1",
     lambda ranks, top: 100 * wasted_share(ranks, top)),
    ("slots are padded to max_lora_rank, not to the largest rank present",
     lambda ranks, top: wasted_share(ranks, max(ranks))),
    ("each tenant has a slot: equal ranks count as often as they occur",
     lambda ranks, top: wasted_share(sorted(set(ranks)), top)),
]  # fmt: skip


def second_engine_pays() -> int:
    """Return the tenants of rank 8 from which a second base pays in bytes."""
    return -(-_weights() // (_slot(64) - _slot(8)))


def _weights():
    return memory_ledger(model_shape("Llama-3.1-8B"), 80).weight_bytes


def _slot(rank):
    return slot_reservation_bytes(model_shape("Llama-3.1-8B"), 1, rank)


def _engine_slips():
    right = second_engine_pays()
    return {
        "rounded down: with one tenant less it does not pay yet": right - 1,
        "a slot of rank 8 still costs something: count the difference":
            -(-_weights() // _slot(64)),
        "the base has two bytes a weight":
            -(-_weights() // (2 * (_slot(64) - _slot(8)))),
        "one tenant of rank 64 has his large slot either way": right + 1,
    }  # fmt: skip


EXERCISES = [
    Exercise("delta_from_alpha", "A delta from alpha", 1, 10, Function(
        delta_from_alpha, _delta_cases,
        "alpha / r × (x Aᵀ) Bᵀ, equal to lora_delta", DELTA_SLIPS)),
    Exercise("leaked_rows", "An index of −1", 1, 8, Function(
        leaked_rows, _id_cases,
        "each base row got the last adapter, as in lab 01", LEAK_SLIPS)),
    Exercise("segments", "Segments of a batch", 2, 15, Function(
        segments, _segment_cases,
        "the spans of segments_of, base first", SEGMENT_SLIPS)),
    Exercise("wasted_share", "Padding of mixed ranks", 1, 8, Function(
        wasted_share, _rank_cases,
        "the zeros that pad_adapter adds", WASTE_SLIPS)),
    Exercise("second_engine", "Two engines, by rank", 2, 15, Number(
        second_engine_pays,
        "from {} tenants of rank 8 on two engines take less",
        _engine_slips)),
    Exercise("where_not_mask", "np.where instead of a mask", 1, 5),
]  # fmt: skip
