"""The spec of lab 02, first part: a merged layer."""

import numpy as np

from multilora.arguments import shown
from multilora.labs.slips import SlipError, require, shape_slip


def test_merged_layer_answers_as_base_plus_adapter(merge_weights):
    # One layer is square: there a transposed delta has the right shape.
    for seed, (num_out, num_in, rank) in enumerate(
        ((6, 5, 2), (4, 4, 3), (3, 8, 1))
    ):
        W, A, B, x = _numbers(
            (num_out, num_in), (rank, num_in), (num_out, rank), (4, num_in),
            seed=seed,
        )  # fmt: skip
        for scaling in (3.0, 0.5):
            got = _merged(merge_weights, W, A, B, scaling)
            _name_slip(got, W, A, B, scaling)
            wanted = x @ W.T + scaling * x @ A.T @ B.T
            require(_is(x @ got.T, wanted), "not base + delta")


def _merged(merge_weights, *given):
    kept = [np.array(item) for item in given]
    try:
        got = merge_weights(*given)
    except ValueError as error:
        raise shape_slip(
            error, "B (out, r) @ A (r, in) is (out, in), as W is"
        ) from None
    for name, item, before in zip(("W", "A", "B"), given, kept, strict=False):
        whose = "everybody's" if name == "W" else "the adapter's"
        require(
            np.array_equal(item, before),
            f"{name} was changed in place: it is {whose}",
        )
    require(
        type(got) is np.ndarray and got.dtype == np.float64,
        f"merge_weights returns a {type(got).__name__}, {shown(got)}, but "
        "must return a numpy array of float64, as W is",
    )
    return got


def _name_slip(got, W, A, B, scaling):
    delta, rank = B @ A, len(A)
    slips = {
        "the scaling is forgotten": W + delta,
        "the base is missing": scaling * delta,
        "the delta is missing": W,
        "the base is scaled too": scaling * (W + delta),
        "the delta is transposed: B @ A is (out, in)": W + scaling * delta.T
        if len(W) == len(W.T)
        else None,
        "the layer is transposed: it must be (out, in), as W is": (
            W + scaling * delta
        ).T,
        "the scaling is divided by r: it is alpha / r already": (
            W + scaling / rank * delta
        ),
        "the scaling is applied twice": W + scaling**2 * delta,
        "the delta is taken away: add it": W - scaling * delta,
        "only a part of the rank is added": (W + scaling * B[:, :1] @ A[:1]),
    }
    if _is(got, W + scaling * delta):
        return
    for slip, wrong in slips.items():
        require(wrong is None or not _is(got, wrong), f"merge_weights: {slip}")
    require(
        got.shape == W.shape,
        f"merge_weights returns shape {got.shape}, but must return {W.shape}",
    )
    raise SlipError("merge_weights differs from W + s B A")


def _numbers(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape).astype(float) for shape in shapes]


def _is(got, wanted):
    return got.shape == wanted.shape and np.allclose(got, wanted)
