"""Lab 01: the known slips, each named by its sentence."""

import numpy as np

from mutants import each_named


def swapped(x, A, B, scaling):
    return scaling * x @ B @ A


def scale_forgotten(x, A, B, scaling):
    return x @ A.T @ B.T


def no_delta(x, W, A, B, scaling):
    return x @ W.T


def _rows(x, W, adapters, ids, scalings, base=-1):
    y = x @ W.T
    for row, i in enumerate(ids):
        if i != base:
            if adapters[i] is not None:
                A, B = adapters[i]
                y[row] += scalings[i] * (B @ (A @ x[row]))
    return y


def off_by_one(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for row, i in enumerate(adapter_ids):
        if i != -1:
            A, B = adapters[(i + 1) % len(adapters)]
            y[row] += scalings[i] * (B @ (A @ x[row]))
    return y


def minus_one_picks_the_last(x, W, adapters, adapter_ids, scalings):
    return _rows(x, W, adapters, adapter_ids, scalings, base=None)


def base_for_each_row(x, W, adapters, adapter_ids, scalings):
    rows = [
        _rows(row[None], W, adapters, [i], scalings)
        for row, i in zip(x, adapter_ids, strict=True)
    ]
    return np.concatenate(rows)


def masked(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for i, adapter in enumerate(adapters):
        if adapter is not None:
            mask = (np.asarray(adapter_ids) == i)[:, None]
            y = y + mask * scalings[i] * (x @ adapter[0].T @ adapter[1].T)
    return y


def hands_back_groups(x, W, adapters, adapter_ids, scalings):
    y = _rows(x, W, adapters, adapter_ids, scalings)
    return y[np.argsort(adapter_ids, kind="stable")]


def divides_by_r(x, A, B, scaling):
    return scaling / A.shape[0] * (x @ A.T) @ B.T


def changes_x(x, W, adapters, adapter_ids, scalings):
    y = _rows(x, W, adapters, adapter_ids, scalings)
    x *= 1.5
    return y


def returns_one(x, W, adapters, adapter_ids, scalings):
    return 1.0


def returns_ragged(x, A, B, scaling):
    return [[1.0], [1.0, 2.0]]


SLIPS = [
    ("lora_delta", swapped, "A and B are swapped"),
    ("lora_delta", scale_forgotten, "the scaling is forgotten"),
    ("lora_delta", divides_by_r, "divided by r"),
    ("lora_delta", returns_ragged, "the result is a list"),
    ("apply_batched", changes_x, "changed in place"),
    ("apply_batched", returns_one, "the result is a float, but"),
    ("apply_single", no_delta, "the delta is missing"),
    ("apply_batched", off_by_one, "ids are off by one"),
    ("apply_batched", minus_one_picks_the_last, "base rows got the last"),
    ("apply_batched", base_for_each_row, "8 base matmuls for 1 adapters"),
    ("apply_batched", masked, "do not multiply by a mask"),
    ("apply_batched", hands_back_groups, "rows come back grouped"),
]


test_a_known_slip_is_named = each_named(SLIPS)
