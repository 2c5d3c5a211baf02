"""The spec of lab 01, first part: the numbers that come back."""

import numpy as np

from multilora.labs.slips import require
from multilora.labs.spec_01_given import (
    SCALING,
    batch,
    call,
    loop,
    name_slip,
    numbers,
    of,
    pick,
    square,
)
from multilora.labs.spec_01_products import require_thin


def test_delta_is_scaled_shrink_then_expand(lora_delta):
    x, _, (A, B) = square(width=6, rank=2)
    got = call(lora_delta, x, A, B, SCALING)
    shrunk = x @ A.T
    name_slip(
        got,
        {
            "the scaling is forgotten": shrunk @ B.T,
            "the scaling is divided by r: it is alpha / r already": (
                SCALING / 2 * shrunk @ B.T
            ),
            "the scaling is applied twice": SCALING**2 * shrunk @ B.T,
            "A and B are swapped: shrink with A first": SCALING * x @ B @ A,
        },
        SCALING * shrunk @ B.T,
        "lora_delta",
    )


def test_delta_fits_layers_that_are_not_square(lora_delta):
    x, A, B = numbers((4, 6), (2, 6), (9, 2))
    got = call(lora_delta, x, A, B, SCALING)
    slips = {"the scaling is forgotten": x @ A.T @ B.T}
    name_slip(got, slips, SCALING * x @ A.T @ B.T, "lora_delta")


def test_delta_has_rank_at_most_r(lora_delta):
    x, A, B = numbers((12, 10), (3, 10), (11, 3))
    got = call(lora_delta, x, A, B, 1.0)
    require(
        got.shape == (12, 11) and np.isfinite(got).all(),
        f"lora_delta returns shape {got.shape}, or NaN, but must return "
        "(12, 11) finite numbers",
    )
    values = np.linalg.svd(got, compute_uv=False)
    num_large = int((values > 1e-9 * values[0]).sum())
    require(num_large <= 3, f"the delta has rank {num_large}, but r is 3")
    require_thin(lambda W, *rest: lora_delta(*rest))


def test_single_adds_the_base(apply_single):
    x, W, (A, B) = square(width=6, rank=2)
    got = call(apply_single, x, W, A, B, SCALING)
    delta = SCALING * x @ A.T @ B.T
    name_slip(
        got,
        {
            "the base x @ W.T is missing": delta,
            "the delta is missing": x @ W.T,
            "the scaling is forgotten": x @ W.T + delta / SCALING,
            "W is used without transposing: the base is x @ W.T": x @ W
            + delta,
        },
        x @ W.T + delta,
        "apply_single",
    )


def test_single_never_forms_b_times_a(apply_single):
    require_thin(lambda W, x, A, B, s: apply_single(x, W, A, B, s))


def test_batched_equals_the_per_row_loop(apply_batched):
    # Whole numbers: sums are exact in any order, so == is fair.
    x, W, adapters, ids, scalings = given = batch()
    got = call(apply_batched, *given)
    own = [pick(adapters, i) for i in ids]
    wanted = loop(x, W, own, of(scalings, ids))
    name_slip(got, _batch_slips(*given, own, wanted), wanted, "apply_batched")


def _batch_slips(x, W, adapters, ids, scalings, own, wanted):
    """Return {sentence: the numbers that this slip gives}."""
    right = of(scalings, ids)
    others = [adapters[(i + 1) % 3] if i != -1 else None for i in ids]
    thin = [pair and (pair[0][:1], pair[1][:, :1]) for pair in own]
    order = np.argsort(ids, kind="stable")
    return {
        "ids are off by one": loop(x, W, others, right),
        "the scaling is forgotten": loop(x, W, own, [1.0] * len(ids)),
        "every row got the first one's scaling: each adapter has its own": (
            loop(x, W, own, [scalings[0]] * len(ids))
        ),
        "every row got the adapter of the first row": loop(
            x, W, [own[0]] * len(ids), [right[0]] * len(ids)
        ),
        "an adapter added only a part of its rank": loop(x, W, thin, right),
        "the base x @ W.T is missing": wanted - x @ W.T,
        "adapter rows lost their base: add the delta, do not assign it": (
            np.where(np.array(ids)[:, None] < 0, wanted, wanted - x @ W.T)
        ),
        "the delta is missing: y[rows][…] += … changes a copy, and a list "
        "== a number is False": x @ W.T,
        "rows come back grouped, not in their own order": wanted[order],
        "base rows got the last adapter: an index of -1 picks it": loop(
            x, W, [adapters[i] for i in ids], right
        ),
    }


def test_base_rows_equal_the_base(apply_batched):
    x, W, adapters, _, scalings = batch()
    got = call(apply_batched, x, W, adapters, [-1] * len(x), scalings)
    last = loop(x, W, [adapters[-1]] * len(x), [scalings[-1]] * len(x))
    name_slip(
        got,
        {
            "base rows got the last adapter: an index of -1 picks it": last,
        },
        x @ W.T,
        "apply_batched on base rows",
    )


def test_a_none_entry_means_base(apply_batched):
    x, W, adapters, ids, scalings = batch()
    fewer = [*adapters[:2], None]
    got = call(apply_batched, x, W, fewer, ids, scalings)
    rows = [pick(fewer, i) for i in ids]
    wanted = loop(x, W, rows, of(scalings, ids))
    name_slip(got, {}, wanted, "apply_batched with an adapter None")
