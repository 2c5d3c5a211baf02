"""The order of a set, worked out, is the order of this Python's own set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.sets import IS_WIDE, walked

pytestmark = pytest.mark.skipif(
    not IS_WIDE, reason="this Python's own set has 32 bits"
)
NUMBERS = st.one_of(
    st.integers(0, 2**61 - 2),
    st.integers(0, 40),
    st.integers(0, 30).map(lambda number: number << 40),  # alike below
)


@given(st.lists(NUMBERS, max_size=80))
def test_any_numbers_come_in_the_order_of_a_set(numbers):
    assert walked(numbers, is_wide=False) == walked(numbers, is_wide=True)


@pytest.mark.parametrize("size", [1, 4, 5, 19, 20, 77, 3_000, 60_000])
def test_so_do_many(size):
    numbers = np.random.default_rng(size).integers(0, 2**60, size).tolist()
    assert walked(numbers, is_wide=False) == walked(numbers, is_wide=True)


def test_the_order_in_which_it_is_filled_shows_where_numbers_collide():
    first, second = 1, 1 + (8 << 50)
    orders = {
        tuple(walked(numbers, is_wide=False))
        for numbers in ([first, second], [second, first])
    }
    assert len(orders) == 2
