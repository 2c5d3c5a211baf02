"""The spec of lab 01, second part: which products are made, and how often.

Its matrices count the products that they take part in.
"""

from collections.abc import Callable

import numpy as np

from multilora.labs.slips import require
from multilora.labs.spec_01_given import (
    batch,
    call,
    loop,
    name_slip,
    numbers,
    of,
    pick,
)
from multilora.matmul.counting import conversions_kept, counting

TINY = 2.0**-600  # the product of two of them is 0.0
ROWS, IN, OUT, RANK = 5, 11, 7, 3  # all different: a shape tells what it is


def test_exactly_one_base_matmul(apply_batched):
    for num_adapters in (1, 2, 5):
        x, W, A, B = numbers((8, 6), (7, 6), (2, 6), (7, 2))
        x, W = counting(x), counting(W)
        ids = np.arange(8) % num_adapters
        pairs = [(A, B)] * num_adapters
        _counted(apply_batched, x, W, pairs, ids, [1.0] * num_adapters)
        require(
            bool(W.calls),
            "no product with W was seen: x @ W.T, once for the whole batch",
        )
        require(
            len(W.calls) == 1,
            f"{len(W.calls)} base matmuls for {num_adapters} adapters: one "
            "is enough, multiply the whole batch by W once",
        )


def test_one_shrink_and_one_expand_an_adapter(apply_batched):
    x, W, adapters, ids, scalings = batch()
    for times in (1, 3):
        rows = counting(np.repeat(x, times, axis=0))
        pairs = [tuple(map(counting, pair)) for pair in adapters]
        _counted(apply_batched, rows, W, pairs, ids * times, scalings)
        for number, pair in enumerate(pairs):
            num_rows = ids.count(number) * times
            _require_once(pair, num_rows, f" of adapter {number}")


def test_batched_never_forms_b_times_a(apply_batched):
    def one_adapter(W, x, A, B, scaling):
        return apply_batched(x, W, [(A, B)], [0] * len(x), [scaling])

    require_thin(one_adapter)


def test_an_unused_adapter_is_never_read(apply_batched):
    x, W, adapters, ids, scalings = batch()
    poison = (counting(adapters[0][0] * np.nan), counting(adapters[0][1]))
    poisoned = [*adapters, poison]
    got = _counted(apply_batched, x, W, poisoned, ids, [*scalings, 1.0])
    rows = [pick(adapters, i) for i in ids]
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
    name_slip(got, {}, loop(x, W, rows, of(scalings, ids)), "apply_batched")
    used = [
        product
        for matrix in poison
        for product in matrix.products
        if not any(0 in shape for shape in product.operands)
    ]
    require(
        not used,
        "an adapter that no row uses was multiplied: go through the ids of "
        "the batch, not through all adapters",
    )


def test_one_adapters_nan_stays_in_its_rows(apply_batched):
    x, W, adapters, ids, scalings = batch()
    A, B = adapters[2]
    given = x, W, [*adapters[:2], (A * np.nan, B)], ids, scalings
    try:
        apply_batched(*given)
    except ValueError:
        return  # to refuse the batch is fine: nobody gets a wrong row
    got = call(apply_batched, *given)
    require(
        got.shape == (len(x), len(W)),
        f"apply_batched returns shape {got.shape}, but must return "
        f"{(len(x), len(W))}",
    )
    others = [row for row, number in enumerate(ids) if number != 2]
    require(
        np.isfinite(got[others]).all(),
        "a NaN in one adapter reached rows of another: do not multiply by a "
        "mask, 0 × NaN is NaN",
    )
    own = [ids[row] for row in others]
    pairs = [pick(adapters, number) for number in own]
    wanted = loop(x[others], W, pairs, of(scalings, own))
    name_slip(got[others], {}, wanted, "apply_batched")


def require_thin(function: Callable) -> None:
    """Raise SlipError if function(W, x, A, B, scaling) forms B @ A."""
    x, A, B = numbers((ROWS, IN), (RANK, IN), (OUT, RANK))
    wanted = x @ A.T @ B.T
    x, A, B = map(counting, (x, A, B))
    got = _counted(function, np.zeros((OUT, IN)), x, A, B, 1.0)
    shapes = [product.result for product in A.products + B.products]
    is_formed = any({IN, OUT} <= set(shape) for shape in shapes)
    if not shapes and np.array_equal(got, wanted):
        is_formed = _loses_tiny_numbers(function)
    require(
        not is_formed,
        f"B @ A is formed, {OUT} × {IN} numbers: shrink first, as in "
        f"(x @ A.T) @ B.T, where a row passes through r = {RANK} numbers",
    )
    _require_once((A, B), ROWS)


def _require_once(pair, num_rows, whose=""):
    steps = (("A", "shrink"), ("B", "expand"))
    for (name, verb), matrix in zip(steps, pair, strict=True):
        num_products = len(matrix.products)
        require(
            num_products > 0,
            f"no product with {name}{whose} was seen: {verb} with the array "
            "that you are given, in numpy, not with a copy in a list",
        )
        require(
            num_products == 1,
            f"{name}{whose} is multiplied {num_products} times for "
            f"{num_rows} rows: no loop over rows or ranks, {verb} all rows "
            "of an adapter in one product",
        )


def _loses_tiny_numbers(function):
    """True if the delta is lost where B @ A is too small for a float.

    This needs no counting: shrink, then expand, and all numbers fit.
    """
    x, A, B = numbers((ROWS, IN), (RANK, IN), (OUT, RANK))
    x, A, B = x / TINY, A * TINY, B * TINY
    return not call(function, np.zeros((OUT, IN)), x, A, B, 1.0).any()


def _counted(function, *arguments):
    with conversions_kept():
        return call(function, *arguments)
