"""Tempting wrong ways to apply many adapters, kept to be run and avoided.

They are as the mistakes are made: no checks. Use matmul.lora instead.
"""

from collections.abc import Sequence

import numpy as np


def apply_by_gather(
    x: np.ndarray,
    W: np.ndarray,
    A_stack: np.ndarray,
    B_stack: np.ndarray,
    adapter_ids: Sequence[int] | np.ndarray,
    scaling: float,
) -> np.ndarray:
    """Gather each row's adapter by index; an id of -1 picks the last one.

    x is (rows, in), A_stack (adapters, r, in), B_stack (adapters, out, r).
    """
    A, B = A_stack[adapter_ids], B_stack[adapter_ids]
    shrunk = np.einsum("bi,bri->br", x, A)
    return x @ W.T + scaling * np.einsum("br,bor->bo", shrunk, B)


def apply_by_mask(
    x: np.ndarray,
    W: np.ndarray,
    A_stack: np.ndarray,
    B_stack: np.ndarray,
    adapter_ids: Sequence[int] | np.ndarray,
    scaling: float,
) -> np.ndarray:
    """Run every adapter on every row and multiply by 0 where it is not his.

    0 × NaN is NaN, so one bad adapter reaches every row of the batch.
    """
    y = x @ W.T
    for adapter_id, (A, B) in enumerate(zip(A_stack, B_stack, strict=True)):
        mask = (np.asarray(adapter_ids) == adapter_id)[:, None]
        with np.errstate(invalid="ignore"):
            y = y + mask * (scaling * (x @ A.T) @ B.T)
    return y
