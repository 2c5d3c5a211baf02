"""How far two correct ways to compute a LoRA delta may differ."""

import numpy as np

from multilora.arguments import choice, finite_number, real_array

# Half the gap between 1 and the next number: 24, 11 and 8 significant bits.
UNIT_ROUNDOFF = {"float32": 2**-24, "float16": 2**-11, "bfloat16": 2**-8}


def delta_error_bound(x, A, B, scaling, dtype="float32", expand_dtype=None):
    """Return a bound on |computed - exact| of lora_delta, row by row.

    Shapes as lora_delta's: x (rows, in), A (rank, in), B (out, rank); the
    bound is (rows, out). A dot product of n terms in any order errs by at
    most gamma(n) = n·u / (1 - n·u) times the same product of absolute values
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
    3.1). Shrink has `in` terms, expand `rank`, and two roundings are for
    scaling and for storing the shrunk row. dtype is that of the arithmetic;
    expand_dtype that of the second product where it differs, as in vLLM,
    which shrinks in float32 and expands in the model's type.
    Raises ValueError for an unknown dtype, or where n·u reaches 1.
    """
    x, A, B = (
        np.abs(real_array(name, value)).astype(np.float64)
        for name, value in (("x", x), ("A", A), ("B", B))
    )
    size = abs(finite_number("scaling", scaling)) * ((x @ A.T) @ B.T)
    shrink = _gamma(A.shape[1] + 1, dtype)
    expand = _gamma(A.shape[0] + 2, expand_dtype or dtype)
    return (shrink + expand + shrink * expand) * size


def _gamma(num_terms, dtype):
    unit = UNIT_ROUNDOFF[choice("dtype", dtype, UNIT_ROUNDOFF)]
    if num_terms * unit >= 1:
        raise ValueError(
            f"dtype is {dtype!r}, too coarse for a sum of {num_terms} terms"
        )
    return num_terms * unit / (1 - num_terms * unit)
