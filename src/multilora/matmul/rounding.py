"""How far two correct ways to compute a LoRA delta may differ."""

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    choice,
    finite_number,
    matrix,
    require_finite,
)
from multilora.matmul.operands import check_adapter

# Half the gap between 1 and the next number: 24 and 8 significant bits.
UNIT_ROUNDOFF = {"float32": 2**-24, "bfloat16": 2**-8}


def delta_error_bound(
    x: npt.ArrayLike,
    A: npt.ArrayLike,
    B: npt.ArrayLike,
    scaling: float,
    dtype: str = "float32",
    sums: str = "float32",
) -> np.ndarray:
    """Return a bound on |computed - exact| of lora_delta, row by row.

    Shapes as lora_delta's: x (rows, in), A (rank, in), B (out, rank); the
    bound is (rows, out). A dot product of n terms in any order errs by at
    most gamma(n) = n·u / (1 - n·u) times the same product of absolute values
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
    3.1). Shrink has `in` terms and expand `rank`, summed in the type `sums`;
    the shrunk row, the scaled one and the result are each rounded to dtype.
    It holds while nothing under- or overflows.
    Raises ValueError for an unknown type, or where n·u reaches 1, and as
    lora_delta does.
    """
    x = matrix("x", x, "(rows, in)")
    A, B = check_adapter(A, B, x.shape[1])
    scaling = finite_number("scaling", scaling)
    for name, value in (("x", x), ("A", A), ("B", B)):
        require_finite(name, value)
    abs_x, abs_A, abs_B = (
        np.abs(item).astype(np.float64) for item in (x, A, B)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        size = abs(scaling) * ((abs_x @ abs_A.T) @ abs_B.T)
    shrink, expand = (_gamma(M.shape[1], sums) for M in (abs_A, abs_B))
    stored = _unit("dtype", dtype)
    bound = ((1 + shrink) * (1 + expand) * (1 + stored) ** 3 - 1) * size
    require_finite("the bound of x, A, B", bound)
    return bound


def _unit(name, dtype):
    return UNIT_ROUNDOFF[choice(name, dtype, UNIT_ROUNDOFF)]


def _gamma(num_terms, dtype):
    error = num_terms * _unit("sums", dtype)
    if error >= 1:
        raise ValueError(
            f"sums is {dtype!r}, too coarse for a sum of {num_terms} terms"
        )
    return error / (1 - error)
