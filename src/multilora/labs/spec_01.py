"""The spec of lab 01. Each test takes the functions it tests by name."""

import copy

import numpy as np

from multilora.counting import counting
from multilora.labs.switch import SlipError, require

SCALING = 3.0


def test_delta_is_scaled_shrink_then_expand(lora_delta):
    x, _, (A, B) = _square(width=6, rank=2)
    got = _call(lora_delta, x, A, B, SCALING)
    shrunk = x @ A.T
    _name_slip(
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
    x, A, B = _numbers((4, 6), (2, 6), (9, 2))
    got = _call(lora_delta, x, A, B, SCALING)
    slips = {"the scaling is forgotten": x @ A.T @ B.T}
    _name_slip(got, slips, SCALING * x @ A.T @ B.T, "lora_delta")


def test_delta_has_rank_at_most_r(lora_delta):
    x, A, B = _numbers((12, 10), (3, 10), (11, 3))
    values = np.linalg.svd(_call(lora_delta, x, A, B, 1.0), compute_uv=False)
    num_large = int((values > 1e-9 * values[0]).sum())
    require(num_large <= 3, f"the delta has rank {num_large}, but r is 3")


def test_single_adds_the_base(apply_single):
    x, W, (A, B) = _square(width=6, rank=2)
    got = _call(apply_single, x, W, A, B, SCALING)
    delta = SCALING * x @ A.T @ B.T
    _name_slip(
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


def test_batched_equals_the_per_row_loop(apply_batched):
    # Whole numbers: sums are exact in any order, so == is fair.
    batch = _batch()
    got = _call(apply_batched, *batch)
    x, W, adapters, ids, scalings = batch
    others = [adapters[(i + 1) % 3] if i != -1 else None for i in ids]
    unscaled = _loop(x, W, [_pick(adapters, i) for i in ids], [1.0] * len(ids))
    wanted = _loop(x, W, [_pick(adapters, i) for i in ids], _of(scalings, ids))
    _name_slip(
        got,
        {
            "ids are off by one": _loop(x, W, others, _of(scalings, ids)),
            "the scaling is forgotten": unscaled,
            "rows come back grouped, not in their own order": wanted[
                np.argsort(ids, kind="stable")
            ],
            "base rows got the last adapter: an index of -1 picks it": _loop(
                x, W, [adapters[i] for i in ids], _of(scalings, ids)
            ),
        },
        wanted,
        "apply_batched",
    )


def test_base_rows_equal_the_base(apply_batched):
    x, W, adapters, _, scalings = _batch()
    got = _call(apply_batched, x, W, adapters, [-1] * len(x), scalings)
    last = _loop(x, W, [adapters[-1]] * len(x), [scalings[-1]] * len(x))
    _name_slip(
        got,
        {
            "base rows got the last adapter: an index of -1 picks it": last,
        },
        x @ W.T,
        "apply_batched on base rows",
    )


def test_a_none_entry_means_base(apply_batched):
    x, W, adapters, ids, scalings = _batch()
    adapters = [*adapters[:2], None]
    got = _call(apply_batched, x, W, adapters, ids, scalings)
    rows = [_pick(adapters, i) for i in ids]
    wanted = _loop(x, W, rows, _of(scalings, ids))
    _name_slip(got, {}, wanted, "apply_batched with an adapter None")


def test_exactly_one_base_matmul(apply_batched):
    for num_adapters in (1, 2, 5):
        x, W, A, B = _numbers((8, 6), (7, 6), (2, 6), (7, 2))
        W = counting(W)
        ids = np.arange(8) % num_adapters
        pairs = [(A, B)] * num_adapters
        _call(apply_batched, x, W, pairs, ids, [1.0] * num_adapters)
        require(
            len(W.calls) == 1,
            f"{len(W.calls)} base matmuls for {num_adapters} adapters: one "
            "is enough, multiply the whole batch by W once",
        )


def test_an_unused_adapter_is_never_read(apply_batched):
    x, W, adapters, ids, scalings = _batch()
    poisoned = [*adapters, (adapters[0][0] * np.nan, adapters[0][1])]
    got = _call(apply_batched, x, W, poisoned, ids, [*scalings, 1.0])
    rows = [_pick(adapters, i) for i in ids]
    require(
        got.shape == (len(x), len(W)),
        f"apply_batched returns shape {got.shape}, but must return "
        f"{(len(x), len(W))}",
    )
    require(
        np.isfinite(got).all(),
        "a NaN in an adapter that no row uses reached the batch: "
        "do not multiply by a mask, 0 × NaN is NaN",
    )
    wanted = _loop(x, W, rows, _of(scalings, ids))
    _name_slip(got, {}, wanted, "apply_batched")


def _numbers(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape).astype(float) for shape in shapes]


def _square(width, rank):
    x, W, A, B = _numbers(
        (4, width), (width, width), (rank, width), (width, rank)
    )
    return x, W, (A, B)


def _batch():
    x, W = _numbers((7, 5), (6, 5))
    adapters = [
        tuple(_numbers((rank, 5), (6, rank), seed=rank)) for rank in (1, 2, 3)
    ]
    return x, W, adapters, [2, 0, -1, 1, 0, -1, 2], [2.0, 1.0, 4.0]


def _pick(adapters, adapter_id):
    return None if adapter_id == -1 else adapters[adapter_id]


def _of(scalings, ids):
    return [scalings[adapter_id] for adapter_id in ids]


def _loop(x, W, pairs, scalings):
    rows = [
        row @ W.T + (0 if pair is None else s * row @ pair[0].T @ pair[1].T)
        for row, pair, s in zip(x, pairs, scalings, strict=True)
    ]
    return np.array(rows)


def _call(function, *arguments):
    """The function's result as an array; its arguments must stay as given."""
    before = copy.deepcopy([_plain(item) for item in arguments])
    try:
        result = function(*arguments)
    except ValueError as error:
        raise SlipError(
            f"the shapes do not fit ({error}); A is (r, in) and shrinks, "
            "B is (out, r) and expands: are A and B swapped, or .T missing?"
        ) from None
    for given, kept in zip(arguments, before, strict=True):
        require(
            _is_same(given, kept),
            "an argument was changed in place: work on a copy",
        )
    try:
        return np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        raise SlipError(
            f"the result is a {type(result).__name__} that is no array of "
            "numbers, but must be (rows, out)"
        ) from None


def _plain(item):
    return np.array(item) if isinstance(item, np.ndarray) else item


def _is_same(given, kept):
    if isinstance(given, np.ndarray):
        return np.array_equal(given, kept, equal_nan=True)
    if isinstance(given, list | tuple):
        return len(given) == len(kept) and all(map(_is_same, given, kept))
    return given is kept or given == kept


def _name_slip(got, slips, wanted, what):
    if got.shape == wanted.shape and np.array_equal(got, wanted):
        return
    for sentence, wrong in slips.items():
        if got.shape == wrong.shape and np.allclose(got, wrong):
            raise SlipError(sentence)
    require(
        got.shape == wanted.shape,
        f"{what} returns shape {got.shape}, but must return {wanted.shape}",
    )
    require(
        np.allclose(got, wanted, rtol=1e-9, atol=1e-9),
        f"{what} is off by up to {np.abs(got - wanted).max():.3g}",
    )
