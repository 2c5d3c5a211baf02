"""Batches of whole or broken numbers, drawn by hypothesis."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def batches(draw, whole=True):
    rows = draw(st.integers(1, 12))
    width_in, width_out = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    num_adapters = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def numbers(*shape):
        if whole:
            return rng.integers(-8, 9, shape).astype(np.float64)
        return rng.standard_normal(shape)

    adapters = []
    for _ in range(num_adapters):
        rank = draw(st.integers(1, 4))
        pair = (numbers(rank, width_in), numbers(width_out, rank))
        adapters.append(draw(st.sampled_from([pair, pair, pair, None])))
    ids = draw(
        st.lists(
            st.integers(-1, num_adapters - 1), min_size=rows, max_size=rows
        )
    )
    scalings = rng.integers(1, 5, num_adapters).astype(float).tolist()
    x, W = numbers(rows, width_in), numbers(width_out, width_in)
    return x, W, adapters, ids, scalings
