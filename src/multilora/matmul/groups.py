"""Rows in groups: one base matmul, and each adapter over its own rows."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from multilora.arguments import integer, require_finite
from multilora.matmul.operands import (
    BASE,
    Adapters,
    Scaled,
    Scalings,
    check_ids,
    look_up,
)

# So few rows are multiplied one by one: a matmul packs its operands before it
# begins, and the second row finds the adapter in the cache anyway.
FEW_ROWS = 12

# A result that is not finite gets an error with names, not numpy's warning.
quiet = np.errstate(invalid="ignore", over="ignore")


def group_rows(
    adapter_ids: npt.ArrayLike, num_rows: int
) -> list[tuple[int, np.ndarray]]:
    """Return [(adapter_id, row numbers)], ascending ids, base (-1) first.

    One stable sort, so rows of one adapter keep their order. adapter_ids
    holds num_rows integers of at least -1.
    """
    ids = check_ids(adapter_ids, integer("num_rows", num_rows, minimum=1))
    order = np.argsort(ids, kind="stable")
    num_rows_of: dict[int, int] = {}
    for adapter_id in ids.tolist():
        num_rows_of[adapter_id] = num_rows_of.get(adapter_id, 0) + 1
    groups, start = [], 0
    for adapter_id in sorted(num_rows_of):
        stop = start + num_rows_of[adapter_id]
        groups.append((adapter_id, order[start:stop]))
        start = stop
    return groups


@quiet
def apply_groups(
    x: np.ndarray,
    W: np.ndarray,
    adapters: Adapters,
    groups: Sequence[tuple[int, np.ndarray | slice]],
    scalings: Scalings,
) -> np.ndarray:
    """Do the same as apply_batched, for rows that are grouped already.

    groups is [(adapter_id, rows)] and holds each row once; rows are row
    numbers, gathered and scattered, or a slice, which copies nothing. They
    are taken as given: group_rows and multilora.matmul.segments check theirs.
    x and W are arrays that fit each other; errors as apply_batched.
    """
    distinct = dict.fromkeys(adapter_id for adapter_id, _ in groups)
    used = look_up_all(adapters, scalings, distinct, x, W)
    y = x @ W.T
    for adapter_id, rows in groups:
        if adapter_id in used:
            _add_delta(y, x, rows, *used[adapter_id])
    require_finite_batch(y, x, W, used)
    return y


def delta(
    x: np.ndarray, A: np.ndarray, B: np.ndarray, scaling: float
) -> np.ndarray:
    """Return scaling × (x @ A.T) @ B.T, unchecked; x may be a stack."""
    shrunk = x @ A.T
    shrunk *= scaling
    return shrunk @ B.T


def look_up_all(
    adapters: Adapters,
    scalings: Scalings,
    distinct: Iterable[int],
    x: np.ndarray,
    W: np.ndarray,
) -> dict[int, Scaled]:
    """Return {id: (A, B, scaling)} of the ids in use, base left out."""
    used = {}
    for adapter_id in distinct:
        if adapter_id != BASE:
            adapter = _usual(adapters, scalings, adapter_id, x, W)
            adapter = adapter or look_up(adapters, scalings, adapter_id, x, W)
            if adapter is not None:
                used[adapter_id] = adapter
    return used


def _usual(adapters, scalings, adapter_id, x, W):
    """Return what look_up would, or None where it must look closer.

    Every layer of every step looks its adapters up, so what is usual is
    quick: pairs of float arrays, and plain floats. Nothing is refused here;
    look_up has the words for it.
    """
    if not {type(adapters), type(scalings)} <= _TABLES:
        return None  # a subclass may do more than look up
    try:
        entry, scaling = adapters[adapter_id], scalings[adapter_id]
    except LookupError:
        return None
    if type(entry) not in _PAIRS or [*map(type, entry)] != _ARRAYS:
        return None
    A, B = entry
    is_usual = (
        A.dtype.kind == B.dtype.kind == "f"
        and A.ndim == B.ndim == 2
        and A.shape == (B.shape[1] or None, x.shape[1])
        and B.shape[0] == W.shape[0]
        and type(scaling) is float
        and math.isfinite(scaling)
    )
    return (A, B, scaling) if is_usual else None


_TABLES, _PAIRS = {list, tuple, dict}, {list, tuple}
_ARRAYS = [np.ndarray, np.ndarray]


def _add_delta(y, x, rows, A, B, scaling):
    """Add one adapter's delta to its rows of y, in place."""
    if not isinstance(rows, slice) and len(rows) == 1:
        rows = slice(rows[0], rows[0] + 1)  # nothing to gather
    is_slice = isinstance(rows, slice)
    own = x[rows] if is_slice else x.take(rows, axis=0)
    if len(own) <= FEW_ROWS:
        # A stack of products of one row each.
        added = delta(own[:, None], A, B, scaling)[:, 0]
    else:
        added = delta(own, A, B, scaling)
    if is_slice:
        y[rows] += added
        return
    mine = y.take(rows, axis=0)  # quicker than an index in brackets
    mine += added
    y[rows] = mine


def require_finite_result(y: np.ndarray, **inputs: np.ndarray) -> None:
    """Blame the input that is not finite, or else an overflow."""
    if _is_finite(y):
        return
    for name, array in inputs.items():
        require_finite(name, array)
    raise ValueError(
        f"the result overflows {y.dtype}: {', '.join(inputs)} and scaling "
        "are finite but too large; scale them down or use a wider dtype"
    )


def require_finite_batch(
    y: np.ndarray, x: np.ndarray, W: np.ndarray, used: Mapping[int, Scaled]
) -> None:
    if _is_finite(y):
        return
    require_finite("x", x)
    require_finite("W", W)
    for adapter_id, (A, B, _) in used.items():
        require_finite(f"adapters[{adapter_id}].A", A)
        require_finite(f"adapters[{adapter_id}].B", B)
    require_finite_result(y, x=x, W=W)


def _is_finite(y):
    # A sum of squares is finite only if every item is, and one pass finds
    # it; where it overflows, the items are looked at one by one.
    return np.isfinite(np.vdot(y, y)) or np.isfinite(y).all()
