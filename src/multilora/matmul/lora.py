"""The LoRA matmul in numpy: one adapter, many adapters in one batch."""

import numpy as np
import numpy.typing as npt

from multilora.arguments import finite_number, integer, matrix
from multilora.matmul.groups import (
    apply_groups,
    delta,
    group_rows,
    look_up_all,
    quiet,
    require_finite_batch,
    require_finite_result,
)
from multilora.matmul.operands import (
    Adapters,
    Scalings,
    check_adapter,
    check_base,
    check_ids,
)

MAX_RANK = 2**16  # far above any model's width; catches a slip of units


@quiet
def lora_delta(
    x: npt.ArrayLike, A: npt.ArrayLike, B: npt.ArrayLike, scaling: float
) -> np.ndarray:
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
    added = delta(x, A, B, scaling)
    require_finite_result(added, x=x, A=A, B=B)
    return added


@quiet
def apply_single(
    x: npt.ArrayLike,
    W: npt.ArrayLike,
    A: npt.ArrayLike,
    B: npt.ArrayLike,
    scaling: float,
) -> np.ndarray:
    """Return x @ W.T + lora_delta(x, A, B, scaling): one tenant's layer.

    W is (out, in), the other shapes and errors are those of lora_delta.
    """
    x, W = check_base(x, W)
    A, B = check_adapter(A, B, x.shape[1], W.shape[0])
    scaling = finite_number("scaling", scaling)
    y = x @ W.T + delta(x, A, B, scaling)
    require_finite_result(y, x=x, W=W, A=A, B=B)
    return y


@quiet
def merge_weights(
    W: npt.ArrayLike, A: npt.ArrayLike, B: npt.ArrayLike, scaling: float
) -> np.ndarray:
    """Return W + scaling × B @ A: one tenant's own copy of the layer.

    W is (out, in), the result too; x @ result.T is apply_single. It costs
    nothing at run time, and a whole base for each tenant. Raises ValueError
    for shapes that do not fit or values that are not finite.
    """
    W = matrix("W", W, "(out, in)")
    A, B = check_adapter(A, B, W.shape[1], W.shape[0])
    scaling = finite_number("scaling", scaling)
    merged = W + scaling * (B @ A)
    require_finite_result(merged, W=W, A=A, B=B)
    return merged


def apply_batched(
    x: npt.ArrayLike,
    W: npt.ArrayLike,
    adapters: Adapters,
    adapter_ids: npt.ArrayLike,
    scalings: Scalings,
) -> np.ndarray:
    """Apply each row's own adapter with one base matmul for the batch.

    Row i uses adapters[adapter_ids[i]], an (A, B) pair, times
    scalings[adapter_ids[i]]; id -1, or an entry None, means base only.
    x is (rows, in), W is (out, in), adapters and scalings are sequences
    indexed by adapter id, or mappings from id; the result is (rows, out),
    of the dtype of x @ W.T. An adapter that no row uses is never read.
    The grouping is that of SGMV (Chen et al. 2023, Punica, section 4).
    Raises ValueError for an unknown id, shapes that do not fit or values
    that are not finite, TypeError for a wrong kind of argument.
    """
    x, W = check_base(x, W)
    groups = group_rows(adapter_ids, x.shape[0])
    return apply_groups(x, W, adapters, groups, scalings)


@quiet
def apply_row_by_row(
    x: npt.ArrayLike,
    W: npt.ArrayLike,
    adapters: Adapters,
    adapter_ids: npt.ArrayLike,
    scalings: Scalings,
) -> np.ndarray:
    """Do the same as apply_batched, one row at a time: the plain oracle.

    As many base matmuls as rows. Arguments and errors as apply_batched.
    """
    x, W = check_base(x, W)
    ids = check_ids(adapter_ids, x.shape[0]).tolist()
    used = look_up_all(adapters, scalings, sorted(set(ids)), x, W)
    y = np.concatenate([row[None] @ W.T for row in x])
    for row, adapter_id in enumerate(ids):
        if adapter_id in used:
            y[row] += delta(x[row, None], *used[adapter_id])[0]
    require_finite_batch(y, x, W, used)
    return y


def pad_adapter(
    A: npt.ArrayLike, B: npt.ArrayLike, max_lora_rank: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (A, B) with zero rows and columns up to max_lora_rank.

    This is what a slot holds: the delta is unchanged, the bytes are not.
    Raises ValueError when the adapter's rank is above max_lora_rank.
    """
    A, B = check_adapter(A, B)
    rank = A.shape[0]
    pad = integer("max_lora_rank", max_lora_rank, rank, MAX_RANK) - rank
    return np.pad(A, ((0, pad), (0, 0))), np.pad(B, ((0, 0), (0, pad)))
