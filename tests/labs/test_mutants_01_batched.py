"""Lab 01, apply_batched: each wrong solution is named by its slip."""

import numpy as np

from multilora.matmul.lora import apply_batched, apply_single, lora_delta
from mutants import each_named


def a_row_at_a_time(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for row, i in enumerate(adapter_ids):
        if i != -1 and adapters[i] is not None:
            A, B = adapters[i]
            y[row] += scalings[i] * (B @ (A @ x[row]))
    return y


def a_row_at_a_time_copied(x, W, adapters, adapter_ids, scalings):
    x, y = np.array(x), x @ W.T
    for row, i in enumerate(adapter_ids):
        if i != -1 and adapters[i] is not None:
            A, B = map(np.asarray, adapters[i])
            y[row] += scalings[i] * (x[row].dot(A.T).dot(B.T))
    return y


def a_row_at_a_time_in_a_list(x, W, adapters, adapter_ids, scalings):
    return list(a_row_at_a_time(x, W, adapters, adapter_ids, scalings))


def merges_each_group(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.array(adapter_ids)
    for i in np.unique(ids[ids >= 0]):
        if adapters[i] is not None:
            A, B = adapters[i]
            y[ids == i] += scalings[i] * x[ids == i] @ (B @ A).T
    return y


def each_run_of_ids(x, W, adapters, adapter_ids, scalings):
    y, start = x @ W.T, 0
    for stop in range(1, len(x) + 1):
        i = adapter_ids[start]
        if stop == len(x) or adapter_ids[stop] != i:
            if i != -1 and adapters[i] is not None:
                y[start:stop] += lora_delta(
                    x[start:stop], *adapters[i], scalings[i]
                )
            start = stop
    return y


def masks_of_zeros_and_ones(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.array(adapter_ids)
    for i in set(adapter_ids) - {-1}:
        if adapters[i] is not None:
            A, B = adapters[i]
            y += (ids == i)[:, None] * (scalings[i] * (x @ A.T @ B.T))
    return y


def reads_every_adapter(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.array(adapter_ids)[:, None]
    for i, pair in enumerate(adapters):
        if pair is not None:
            added = scalings[i] * (x @ pair[0].T @ pair[1].T)
            y += np.where(ids == i, added, 0.0)
    return y


def a_base_for_each_adapter(x, W, adapters, adapter_ids, scalings):
    y, ids = np.empty((len(x), len(W))), np.array(adapter_ids)
    for i in set(adapter_ids):
        own = x[ids == i]
        is_base = i == -1 or adapters[i] is None
        y[ids == i] = (
            own @ W.T
            if is_base
            else apply_single(own, W, *adapters[i], scalings[i])
        )
    return y


def of_the_first_rank(x, W, adapters, adapter_ids, scalings):
    pairs = [pair and (pair[0][:1], pair[1][:, :1]) for pair in adapters]
    return apply_batched(x, W, pairs, adapter_ids, scalings)


def one_scaling_for_all(x, W, adapters, adapter_ids, scalings):
    first = [scalings[0]] * len(scalings)
    return apply_batched(x, W, adapters, adapter_ids, first)


def changes_a_copy(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.array(adapter_ids)
    for i in set(adapter_ids) - {-1}:
        if adapters[i] is not None:
            rows = ids == i
            y[rows][:] += lora_delta(x[rows], *adapters[i], scalings[i])
    return y


def assigns_the_delta(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.array(adapter_ids)
    for i in set(adapter_ids) - {-1}:
        if adapters[i] is not None:
            rows = ids == i
            y[rows] = lora_delta(x[rows], *adapters[i], scalings[i])
    return y


def only_the_first_rows_adapter(x, W, adapters, adapter_ids, scalings):
    first = [adapter_ids[0]] * len(x)
    return apply_batched(x, W, adapters, first, scalings)


def compares_a_list(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for i, pair in enumerate(adapters):
        if pair is not None and adapter_ids == i:
            y += lora_delta(x, *pair, scalings[i])
    return y


def loops_over_copies(x, W, adapters, adapter_ids, scalings):
    y = x @ W.T
    for row, i in enumerate(adapter_ids):
        if i != -1 and adapters[i] is not None:
            A, B = (part.view(np.ndarray) for part in adapters[i])
            y[row] += scalings[i] * (B @ (A @ x[row].view(np.ndarray)))
    return y


def expands_each_row(x, W, adapters, adapter_ids, scalings):
    y, ids = x @ W.T, np.array(adapter_ids)
    for i in {*adapter_ids} - {-1}:
        if adapters[i] is not None:
            (A, B), (rows,) = adapters[i], np.nonzero(ids == i)
            shrunk = x[rows].dot(A.T) * scalings[i]
            for row, thin in zip(rows, shrunk, strict=True):
                y[row] += thin.dot(B.T)
    return y


FORMED, LOOP = "B @ A is formed", "no loop over rows"
MUTANTS = [
    ("apply_batched", a_row_at_a_time, LOOP),
    ("apply_batched", a_row_at_a_time_copied, LOOP),
    ("apply_batched", a_row_at_a_time_in_a_list, "the result is a list"),
    ("apply_batched", merges_each_group, FORMED),
    ("apply_batched", each_run_of_ids, LOOP),
    ("apply_batched", masks_of_zeros_and_ones, "0 × NaN is NaN"),
    ("apply_batched", reads_every_adapter, "not through all adapters"),
    ("apply_batched", a_base_for_each_adapter, "2 base matmuls for 2"),
    ("apply_batched", of_the_first_rank, "part of its rank"),
    ("apply_batched", one_scaling_for_all, "each adapter has its own"),
    ("apply_batched", compares_a_list, "a list == a number is False"),
    ("apply_batched", loops_over_copies, "no product with A of adapter 0"),
    ("apply_batched", expands_each_row, "B of adapter 0 is multiplied 2"),
    ("apply_batched", changes_a_copy, "+= … changes a copy"),
    ("apply_batched", assigns_the_delta, "do not assign it"),
    ("apply_batched", only_the_first_rows_adapter, "of the first row"),
]


test_a_mutant_is_named = each_named(MUTANTS)
