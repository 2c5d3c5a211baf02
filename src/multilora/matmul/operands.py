"""The operands of a batched LoRA matmul, checked before any arithmetic."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    any_array,
    finite_number,
    is_array,
    is_integer,
    matrix,
    shown,
)

BASE = -1

# What is looked up by adapter id: (A, B) pairs, and the number of each.
Adapters = (
    Sequence[tuple[npt.ArrayLike, npt.ArrayLike] | None]
    | Mapping[int, tuple[npt.ArrayLike, npt.ArrayLike] | None]
)
Scalings = Sequence[float] | Mapping[int, float] | np.ndarray
# One adapter that was looked up and checked: A, B and its scaling.
Scaled = tuple[np.ndarray, np.ndarray, float]


def check_base(
    x: npt.ArrayLike, W: npt.ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return x (rows, in) and W (out, in) as arrays that fit each other."""
    x = matrix("x", x, "(rows, in)")
    W = matrix("W", W, "(out, in)")
    if x.shape[1] != W.shape[1]:
        raise ValueError(
            f"x has shape {x.shape} and W {W.shape}: "
            "x is (rows, in), W is (out, in), and both `in` must be equal"
        )
    return x, W


def check_adapter(
    A: npt.ArrayLike,
    B: npt.ArrayLike,
    in_features: int | None = None,
    out_features: int | None = None,
    name: str = "",
) -> tuple[np.ndarray, np.ndarray]:
    """Return A (r, in) and B (out, r) as arrays that fit each other."""
    A = matrix(name + "A", A, "(r, in)")
    B = matrix(name + "B", B, "(out, r)")
    fits = (
        A.shape[0] == B.shape[1]
        and in_features in (None, A.shape[1])
        and out_features in (None, B.shape[0])
    )
    if not fits:
        wanted = f"(r, {in_features or 'in'})", f"({out_features or 'out'}, r)"
        raise ValueError(
            f"{name}A has shape {A.shape} and {name}B {B.shape}, "
            f"but must be {wanted[0]} and {wanted[1]} with one rank r"
        )
    return A, B


def check_ids(adapter_ids: npt.ArrayLike, num_rows: int) -> np.ndarray:
    """Return adapter_ids as an int array of num_rows values >= -1."""
    ids = np.asarray(any_array(adapter_ids))
    if ids.dtype.kind not in "iu":
        raise TypeError(
            f"adapter_ids is {shown(adapter_ids)}, "
            "but must be integers, -1 for a base row"
        )
    if ids.shape != (num_rows,):
        raise ValueError(
            f"adapter_ids has shape {ids.shape}, but must be ({num_rows},): "
            "one id a row of x"
        )
    if ids.min() < BASE:
        raise ValueError(
            f"adapter_ids holds {ids.min()}, but must be -1 (base) or more"
        )
    return ids


def look_up(
    adapters: Adapters,
    scalings: Scalings,
    adapter_id: int,
    x: np.ndarray,
    W: np.ndarray,
) -> Scaled | None:
    """Return (A, B, scaling) of one id, or None for a base entry."""
    entry = _entry("adapters", adapters, adapter_id)
    if entry is None:
        return None
    if not isinstance(entry, Sequence) or len(entry) != 2:
        raise TypeError(
            f"adapters[{adapter_id}] is {shown(entry)}, "
            "but must be a pair (A, B) or None"
        )
    name = f"adapters[{adapter_id}]."
    A, B = entry
    A, B = check_adapter(A, B, x.shape[1], W.shape[0], name)
    scaling = _entry("scalings", scalings, adapter_id)
    return A, B, finite_number(f"scalings[{adapter_id}]", scaling)


def _entry(name, table, adapter_id):
    is_row = isinstance(table, Sequence) or is_array(table)
    known: Sequence[int]
    if isinstance(table, Mapping):
        known = [key for key in table if is_integer(key)]
        found = adapter_id in table
    elif is_row and not isinstance(table, str | bytes):
        known = range(len(table))
        found = adapter_id < len(table)
    else:
        raise TypeError(
            f"{name} is {shown(table)}, "
            "but must be a sequence indexed by id or a mapping from id"
        )
    if not found:
        raise ValueError(
            f"adapter_ids holds {adapter_id}, which {name} does not have; "
            f"known ids: {shown(list(known))}, -1 for base"
        )
    return table[adapter_id]
