"""Engines under a load of hours; merged and shared weights."""

import math

import pytest

from multilora.fleet.sizing import (
    engines_under_load,
    load_by_hour,
    merged_bytes,
    shared_bytes,
)
from multilora.memory import economics
from multilora.models.shipped import model_shape


def test_load_can_need_more_engines_than_slots():
    together = load_by_hour(100, 0.25, 1)
    spread = load_by_hour(100, 0.25, 8)
    assert together.max() == 25
    assert engines_under_load(100, 8, together) == 25
    assert engines_under_load(100, 8, spread) == 13
    assert math.isclose(together.sum(), spread.sum())


def test_merging_forks_the_base():
    base = 2 * model_shape("Llama-2-7B").num_params
    small = economics.adapter_bytes(4096, 32, 16)
    assert merged_bytes(base, 100) > 70 * shared_bytes(base, small, 100)


BAD = [
    (load_by_hour, (0, 1, 1), ValueError, "tenants is 0"),
    (load_by_hour, (5, math.inf, 1), ValueError, "peak_load is inf"),
    (load_by_hour, (5, 1, 25), ValueError, "spread_hours is 25"),
    (engines_under_load, (5, 2, []), ValueError, "load is empty"),
    (engines_under_load, (5, 2, [math.nan]), ValueError, r"load\[0\] is nan"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)
