"""A batch in whole numbers: every right way to apply it gives its bits."""

from typing import NamedTuple

import numpy as np

from multilora.matmul.lora import apply_row_by_row
from multilora.matmul.segments import segments_of

RANK, SCALING = 16, 2.0


class Case(NamedTuple):
    """One batch on one square layer; whole numbers, so that sums are exact.

    x is (rows, width), W (width, width), A (adapters, rank, width), B
    (adapters, width, rank), ids (rows,) in no order, none of them base.
    """

    x: np.ndarray
    W: np.ndarray
    A: np.ndarray
    B: np.ndarray
    ids: np.ndarray

    @property
    def pairs(self):
        return list(zip(self.A, self.B, strict=True))

    @property
    def scalings(self):
        return [SCALING] * len(self.A)


def drawn(rows, num_adapters, width, rank=RANK, seed=0):
    """Return a Case: rows spread evenly over the adapters, in random order.

    Every sum of its products stays below 2**24, float32's whole numbers.
    """
    rng = np.random.default_rng(seed)

    def whole(*shape):
        return rng.integers(-1, 2, shape).astype(np.float32)

    ids = rng.permutation(np.arange(rows) % num_adapters)
    A, B = whole(num_adapters, rank, width), whole(num_adapters, width, rank)
    return Case(whole(rows, width), whole(width, width), A, B, ids)


def require_equal(case, functions):
    """Raise AssertionError unless each gives the row loop's numbers."""
    wanted = apply_row_by_row(
        case.x, case.W, case.pairs, case.ids, case.scalings
    )
    ordered = segments_of(case.ids).sort(wanted)
    for name, function in functions.items():
        is_sorted = name.startswith(("presorted", "vLLM sgmv"))
        got = np.asarray(function())
        assert np.array_equal(got, ordered if is_sorted else wanted), name
