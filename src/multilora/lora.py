"""The LoRA matmul in numpy: one adapter, many adapters in one batch."""

import math
from collections import Counter

import numpy as np

from multilora.arguments import (
    finite_number,
    integer,
    matrix,
    require_finite,
)
from multilora.operands import (
    BASE,
    check_adapter,
    check_base,
    check_ids,
    look_up,
)

MAX_RANK = 2**16  # far above any model's width; catches a slip of units


def lora_delta(x, A, B, scaling):
    """Return what one adapter adds: scaling × (x @ A.T) @ B.T.

    x is (rows, in), A is (r, in), B is (out, r); the result is (rows, out).
    Two thin matmuls, shrink then expand; B @ A is never formed. `scaling` is
    alpha / r. Source: Hu et al. 2021, LoRA, section 4.1.
    Raises ValueError for shapes that do not fit or values that are not
    finite, TypeError for what is not an array of real numbers.
    """
    x = matrix("x", x, "(rows, in)")
    A, B = check_adapter(A, B, x.shape[1])
    scaling = finite_number("scaling", scaling)
    delta = _delta(x, A, B, scaling)
    _require_finite_result(delta, x=x, A=A, B=B)
    return delta


def apply_single(x, W, A, B, scaling):
    """Return x @ W.T + lora_delta(x, A, B, scaling): one tenant's layer.

    W is (out, in), the other shapes and errors are those of lora_delta.
    """
    x, W = check_base(x, W)
    A, B = check_adapter(A, B, x.shape[1], W.shape[0])
    scaling = finite_number("scaling", scaling)
    y = _base(x, W) + _delta(x, A, B, scaling)
    _require_finite_result(y, x=x, W=W, A=A, B=B)
    return y


def merge_weights(W, A, B, scaling):
    """Return W + scaling × B @ A: one tenant's own copy of the layer.

    W is (out, in), the result too; x @ result.T is apply_single. It costs
    nothing at run time, and a whole base for each tenant. Raises ValueError
    for shapes that do not fit or values that are not finite.
    """
    W = matrix("W", W, "(out, in)")
    A, B = check_adapter(A, B, W.shape[1], W.shape[0])
    scaling = finite_number("scaling", scaling)
    with np.errstate(invalid="ignore", over="ignore"):
        merged = W + scaling * (B @ A)
    _require_finite_result(merged, W=W, A=A, B=B)
    return merged


def apply_batched(x, W, adapters, adapter_ids, scalings):
    """Apply each row's own adapter with one base matmul for the batch.

    Row i uses adapters[adapter_ids[i]], an (A, B) pair, times
    scalings[adapter_ids[i]]; id -1, or an entry None, means base only.
    x is (rows, in), W is (out, in), adapters and scalings are sequences
    indexed by adapter id, or mappings from id; the result is (rows, out).
    An adapter that no row uses is never read.
    The grouping is that of SGMV (Chen et al. 2023, Punica, section 4).
    Raises ValueError for an unknown id, shapes that do not fit or values
    that are not finite, TypeError for a wrong kind of argument.
    """
    x, W = check_base(x, W)
    groups = group_rows(adapter_ids, x.shape[0])
    return apply_groups(x, W, adapters, groups, scalings)


def apply_groups(x, W, adapters, groups, scalings):
    """Do the same as apply_batched, for rows that are grouped already.

    groups is [(adapter_id, rows)] and holds each row once; rows are row
    numbers, gathered and scattered, or a slice, which copies nothing. They
    are taken as given: group_rows and multilora.segments check theirs.
    x and W are arrays that fit each other; errors as apply_batched.
    """
    distinct = dict.fromkeys(adapter_id for adapter_id, _ in groups)
    used = _look_up_all(adapters, scalings, distinct, x, W)
    with np.errstate(invalid="ignore", over="ignore"):
        y = x @ W.T
        for adapter_id, rows in groups:
            if adapter_id in used:
                A, B, scaling = used[adapter_id]
                y[rows] += ((x[rows] @ A.T) * scaling) @ B.T
    _require_finite_batch(y, x, W, used)
    return y


def apply_row_by_row(x, W, adapters, adapter_ids, scalings):
    """Do the same as apply_batched, one row at a time: the plain oracle.

    As many base matmuls as rows. Arguments and errors as apply_batched.
    """
    x, W = check_base(x, W)
    ids = check_ids(adapter_ids, x.shape[0]).tolist()
    used = _look_up_all(adapters, scalings, sorted(set(ids)), x, W)
    rows = []
    for row, adapter_id in zip(x, ids, strict=True):
        y = _base(row[None], W)
        if adapter_id in used:
            y = y + _delta(row[None], *used[adapter_id])
        rows.append(y)
    y = np.concatenate(rows)
    _require_finite_batch(y, x, W, used)
    return y


def group_rows(adapter_ids, num_rows):
    """Return [(adapter_id, row numbers)], ascending ids, base (-1) first.

    One stable sort, so rows of one adapter keep their order. adapter_ids
    holds num_rows integers of at least -1.
    """
    ids = check_ids(adapter_ids, integer("num_rows", num_rows, minimum=1))
    order = np.argsort(ids, kind="stable")
    groups, start = [], 0
    for adapter_id, num_its in sorted(Counter(ids.tolist()).items()):
        groups.append((adapter_id, order[start : start + num_its]))
        start += num_its
    return groups


def pad_adapter(A, B, max_lora_rank):
    """Return (A, B) with zero rows and columns up to max_lora_rank.

    This is what a slot holds: the delta is unchanged, the bytes are not.
    Raises ValueError when the adapter's rank is above max_lora_rank.
    """
    A, B = check_adapter(A, B)
    rank = A.shape[0]
    pad = integer("max_lora_rank", max_lora_rank, rank, MAX_RANK) - rank
    return np.pad(A, ((0, pad), (0, 0))), np.pad(B, ((0, 0), (0, pad)))


def _look_up_all(adapters, scalings, distinct, x, W):
    """Return {id: (A, B, scaling)} of the ids in use, base left out."""
    widths, used = (x.shape[1], W.shape[0]), {}
    for adapter_id in distinct:
        if adapter_id != BASE:
            adapter = _usual(adapters, scalings, adapter_id, *widths)
            adapter = adapter or look_up(adapters, scalings, adapter_id, x, W)
            if adapter is not None:
                used[adapter_id] = adapter
    return used


def _usual(adapters, scalings, adapter_id, in_features, out_features):
    """Return (A, B, scaling) if right at first sight, else None.

    Every layer of every step looks its adapters up, so the usual case is
    quick; look_up takes a second look at the rest, and has the words.
    """
    if not {type(adapters), type(scalings)} <= {list, dict}:
        return None
    try:
        entry, scaling = adapters[adapter_id], scalings[adapter_id]
    except (IndexError, KeyError):
        return None
    if type(entry) is not tuple or [*map(type, entry)] != 2 * [np.ndarray]:
        return None
    (A, B), rank = entry, len(entry[0]) if entry[0].ndim else 0
    is_real = A.dtype.kind == B.dtype.kind == "f" and type(scaling) is float
    fits = (A.shape, B.shape) == ((rank, in_features), (out_features, rank))
    is_usual = rank and is_real and fits and math.isfinite(scaling)
    return (A, B, scaling) if is_usual else None


def _delta(x, A, B, scaling):
    with np.errstate(invalid="ignore", over="ignore"):
        return ((x @ A.T) * scaling) @ B.T


def _base(x, W):
    with np.errstate(invalid="ignore", over="ignore"):
        return x @ W.T


def _require_finite_result(y, **inputs):
    """Blame the input that is not finite, or else an overflow."""
    if np.isfinite(y).all():
        return
    for name, array in inputs.items():
        require_finite(name, array)
    raise ValueError(
        f"the result overflows {y.dtype}: {', '.join(inputs)} and scaling "
        "are finite but too large; scale them down or use a wider dtype"
    )


def _require_finite_batch(y, x, W, used):
    if np.isfinite(y).all():
        return
    require_finite("x", x)
    require_finite("W", W)
    for adapter_id, (A, B, _) in used.items():
        require_finite(f"adapters[{adapter_id}].A", A)
        require_finite(f"adapters[{adapter_id}].B", B)
    _require_finite_result(y, x=x, W=W)
