"""Lab 01: what is right in an unusual way gets full marks."""

from collections import defaultdict
from itertools import groupby

import numpy as np

from multilora.matmul import lora
from multilora.matmul.segments import apply_segments, segments_of
from mutants import each_accepted


def einsum_twice(x, A, B, scaling):
    shrunk = np.einsum("bi,ri->br", x, A)
    return scaling * np.einsum("br,or->bo", shrunk, B)


def einsum_in_one_go(x, A, B, scaling):
    return scaling * np.einsum("bi,ri,or->bo", x, A, B, optimize=True)


def dot_functions(x, A, B, scaling):
    return np.dot(np.dot(scaling * x, np.transpose(A)), B.transpose())


def dot_methods(x, A, B, scaling):
    return x.dot(A.T).dot(B.T) * scaling


def columns(x, A, B, scaling):
    return (B @ (scaling * (A @ x.T))).T


def scaled_b(x, A, B, scaling):
    return (x @ A.T) @ (scaling * B).T


def scaled_a(x, A, B, scaling):
    return np.inner(np.inner(x, A * scaling), B)


def inner_and_tensordot(x, A, B, scaling):
    return np.tensordot(np.inner(x, A), B, axes=(1, 1)) * scaling


def into_buffers(x, A, B, scaling):
    shrunk, y = np.empty((len(x), len(A))), np.empty((len(x), len(B)))
    np.matmul(x, A.T, out=shrunk)
    shrunk *= scaling
    return np.matmul(shrunk, B.T, out=y)


def multi_dot(x, A, B, scaling):
    return scaling * np.linalg.multi_dot([x, A.T, B.T])


def contiguous_copies(x, A, B, scaling):
    x, A = np.asarray(x), np.ascontiguousarray(A.T)
    return np.matmul(x @ A, np.array(B, order="F").T) * scaling


def broadcast(x, A, B, scaling):
    shrunk = (x[:, None] * A).sum(2)
    return scaling * (shrunk[:, None] * B).sum(2)


def of_the_delta(x, W, A, B, scaling):
    return np.matmul(x, W.T) + lora.lora_delta(x, A, B, scaling)


def delta_in_place(x, W, A, B, scaling):
    y = np.einsum("bi,oi->bo", x, W)
    y += scaling * (x @ A.T) @ B.T
    return y


def base_by_columns(x, W, A, B, scaling):
    return (W @ x.T + B @ (A @ (scaling * x.T))).T


def by_unique(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.asarray(adapter_ids)
    for i in np.unique(ids):
        if i != -1 and adapters[i] is not None:
            (rows,) = np.nonzero(ids == i)
            y[rows] += lora.lora_delta(x[rows], *adapters[i], scalings[i])
    return y


def by_add_at(x, W, adapters, adapter_ids, scalings):
    y, ids = x.dot(W.T), np.asarray(adapter_ids)
    for i in {int(i) for i in adapter_ids} - {-1}:
        if adapters[i] is not None:
            A, B = (np.asarray(part) for part in adapters[i])
            rows = np.flatnonzero(ids == i)
            np.add.at(y, rows, scalings[i] * x[rows].dot(A.T).dot(B.T))
    return y


def by_dict(x, W, adapters, adapter_ids, scalings):
    rows_of = defaultdict(list)
    for row, i in enumerate(adapter_ids):
        rows_of[i].append(row)
    y = np.matmul(x, W.T)
    for i, rows in rows_of.items():
        if i == -1 or adapters[i] is None:
            continue
        A, B = adapters[i]
        y[rows] += scalings[i] * ((x[rows] @ A.T) @ B.T)
    return y


def by_mask_of_every_adapter(x, W, adapters, adapter_ids, scalings):
    y, ids = np.empty((len(x), len(W))), np.array(adapter_ids)
    np.matmul(x, W.T, out=y)
    for i, pair in enumerate(adapters):
        mask = ids == i
        if pair is not None:
            y[mask] += x[mask] @ pair[0].T @ pair[1].T * scalings[i]
    return y


def by_where(x, W, adapters, adapter_ids, scalings):
    y, ids = (W @ x.T).T, np.array(adapter_ids)[:, None]
    for i in set(adapter_ids) - {-1}:
        if adapters[i] is not None:
            A, B = adapters[i]
            y = y + np.where(ids == i, scalings[i] * (x @ A.T) @ B.T, 0)
    return y


def by_sorting(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    order = sorted(range(len(x)), key=lambda row: adapter_ids[row])
    for i, rows in groupby(order, key=lambda row: adapter_ids[row]):
        rows = list(rows)
        if i >= 0 and adapters[i] is not None:
            y[rows] += dot_methods(np.take(x, rows, 0), *adapters[i],
                                   scalings[i])  # fmt: skip
    return y


def by_the_single_layer(x, W, adapters, adapter_ids, scalings):
    """The base once, then apply_single on a base of zeros."""
    y, ids, zeros = x @ W.T, np.array(adapter_ids), np.zeros(W.shape)
    for i in np.unique(ids[ids >= 0]):
        if adapters[i] is not None:
            own = x[ids == i]
            y[ids == i] += lora.apply_single(
                own, zeros, *adapters[i], scalings[i]
            )
    return y


def by_segments(x, W, adapters, adapter_ids, scalings):
    segments = segments_of(adapter_ids)
    y = apply_segments(segments.sort(x), W, adapters, segments, scalings)
    return segments.unsort(y)


def by_one_padded_stack(x, W, adapters, adapter_ids, scalings):
    """Every adapter in use in one array, as slots are: no loop over rows."""
    used = [i for i in sorted({*adapter_ids} - {-1}) if adapters[i]]
    y, rank = x @ W.T, max((len(adapters[i][0]) for i in used), default=0)
    rows = [row for row, i in enumerate(adapter_ids) if i in used]
    if rows:
        pairs = [lora.pad_adapter(*adapters[i], rank) for i in used]
        slot = [used.index(adapter_ids[row]) for row in rows]
        s = np.array([scalings[adapter_ids[row]] for row in rows])
        A, B = (np.stack(part)[slot] for part in zip(*pairs, strict=True))
        shrunk = np.einsum("bi,bri->br", x[rows], A) * s[:, None]
        y[rows] += np.einsum("br,bor->bo", shrunk, B)
    return y


VARIANTS = [
    *[("lora_delta", item) for item in (
        einsum_twice, einsum_in_one_go, dot_functions, dot_methods, columns,
        scaled_b, scaled_a, inner_and_tensordot, into_buffers, multi_dot,
        contiguous_copies, broadcast)],
    *[("apply_single", item) for item in (
        of_the_delta, delta_in_place, base_by_columns)],
    *[("apply_batched", item) for item in (
        by_unique, by_add_at, by_dict, by_mask_of_every_adapter, by_where,
        by_sorting, by_the_single_layer, by_segments, by_one_padded_stack,
        lora.apply_batched)],
]  # fmt: skip


test_a_variant_is_accepted = each_accepted(VARIANTS)
