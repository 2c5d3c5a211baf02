"""The grouped matmul against a plain loop, and what bad input gets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches import batches
from multilora.matmul.lora import (
    apply_batched,
    apply_row_by_row,
    apply_single,
    group_rows,
    lora_delta,
    merge_weights,
    pad_adapter,
)
from multilora.matmul.traps import apply_by_gather, apply_by_mask


@given(batches())
def test_grouped_is_the_row_loop_exactly_on_whole_numbers(batch):
    grouped = apply_batched(*batch)
    assert np.array_equal(grouped, apply_row_by_row(*batch))
    x, W, adapters, ids, scalings = batch
    for row, adapter_id in enumerate(ids):
        expected = W @ x[row]
        if adapter_id >= 0 and adapters[adapter_id] is not None:
            A, B = adapters[adapter_id]
            expected = expected + scalings[adapter_id] * (B @ (A @ x[row]))
        assert np.array_equal(grouped[row], expected)


@given(batches(whole=False))
def test_grouped_is_the_row_loop_up_to_rounding_on_floats(batch):
    assert np.allclose(
        apply_batched(*batch), apply_row_by_row(*batch), rtol=1e-10, atol=1e-9
    )


@given(st.lists(st.integers(-1, 6), min_size=1, max_size=30))
def test_groups_hold_each_row_once_in_order(ids):
    groups = group_rows(ids, len(ids))
    assert [name for name, _ in groups] == sorted(set(ids))
    for adapter_id, rows in groups:
        expected = [row for row, item in enumerate(ids) if item == adapter_id]
        assert rows.tolist() == expected


@given(batches(), st.integers(4, 9))
def test_padding_changes_no_number(batch, max_lora_rank):
    x, W, adapters, ids, scalings = batch
    padded = [
        pair and pad_adapter(*pair, max_lora_rank=max_lora_rank)
        for pair in adapters
    ]
    assert np.array_equal(
        apply_batched(x, W, padded, ids, scalings), apply_batched(*batch)
    )


def test_adapters_by_name_of_id():
    x, W = np.ones((2, 3)), np.ones((4, 3))
    table = {70: (np.ones((1, 3)), np.ones((4, 1)))}
    y = apply_batched(x, W, table, [70, -1], {70: 2.0})
    assert y.tolist() == [[9.0] * 4, [3.0] * 4]


def test_the_gather_trap_gives_base_rows_the_last_adapter():
    rng = np.random.default_rng(0)
    x, W = rng.standard_normal((2, 4)), rng.standard_normal((5, 4))
    A, B = rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 5, 2))
    wrong = apply_by_gather(x, W, A, B, [-1, 0], 1.0)
    last = apply_single(x, W, A[2], B[2], 1.0)
    assert np.allclose(wrong[0], last[0])
    assert not np.allclose(wrong[0], (x @ W.T)[0])


def test_the_mask_trap_leaks_nan_from_an_unused_adapter():
    x, W = np.ones((3, 4)), np.ones((5, 4))
    A, B = np.ones((2, 1, 4)), np.ones((2, 5, 1))
    A[1, 0, 0] = np.nan
    assert np.isnan(apply_by_mask(x, W, A, B, [0, 0, -1], 1.0)).all()
    pairs = list(zip(A, B, strict=True))
    right = apply_batched(x, W, pairs, [0, 0, -1], [1.0, 1.0])
    assert np.isfinite(right).all()


A, B = np.ones((2, 4)), np.ones((5, 2))
X, W = np.ones((3, 4)), np.ones((5, 4))
NAN = np.full((3, 4), np.nan)


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ((X, B, A, 1.0), ValueError, "A has shape"),
        ((X[0], A, B, 1.0), ValueError, "x has shape"),
        ((X[:0], A, B, 1.0), ValueError, "x has shape"),
        ((NAN, A, B, 1.0), ValueError, "x holds 12 NaN"),
        ((X, A * np.inf, B, 1.0), ValueError, "A holds 8 NaN"),
        ((X, A, B, float("nan")), ValueError, "scaling is nan"),
        ((X, A, B, None), TypeError, "scaling is None"),
        ((X, A, B, True), TypeError, "scaling is True"),
        (("x", A, B, 1.0), TypeError, "x is 'x'"),
        (([[1, 2], [3]], A, B, 1.0), TypeError, "x is"),
        ((X * 1j, A, B, 1.0), TypeError, "x is"),
        ((X, None, B, 1.0), TypeError, "A is None"),
    ],
)
def test_bad_delta_input_is_named(arguments, error, named):
    with pytest.raises(error, match=named):
        lora_delta(*arguments)


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"adapter_ids": [0, 1, 5]}, ValueError, "adapter_ids holds 5"),
        ({"adapter_ids": [0, 1, -2]}, ValueError, "adapter_ids holds -2"),
        ({"adapter_ids": [0, 1]}, ValueError, "adapter_ids has shape"),
        ({"adapter_ids": [0, 1, 0.5]}, TypeError, "adapter_ids is"),
        ({"adapter_ids": None}, TypeError, "adapter_ids is None"),
        ({"adapter_ids": ["a", "b", "c"]}, TypeError, "adapter_ids is"),
        ({"adapters": 7}, TypeError, "adapters is 7"),
        ({"adapters": [A, B]}, TypeError, r"adapters\[0\] is array"),
        ({"adapters": [(A,), (A, B)]}, TypeError, r"adapters\[0\] is"),
        ({"adapters": [(B, A)] * 2}, ValueError, r"adapters\[0\].A has"),
        ({"adapters": [(A * np.nan, B)] * 2}, ValueError, r"adapters\[0\].A"),
        ({"scalings": [1.0]}, ValueError, "scalings does not have"),
        ({"scalings": 2.0}, TypeError, "scalings is 2.0"),
        ({"scalings": [1.0, None]}, TypeError, r"scalings\[1\] is None"),
        ({"W": np.ones((5, 3))}, ValueError, "both `in` must be equal"),
        ({"x": np.ones((0, 4)), "adapter_ids": []}, ValueError, "x has"),
    ],
)
def test_bad_batch_input_is_named(changes, error, named):
    good = {"x": X, "W": W, "adapters": [(A, B)] * 2,
            "adapter_ids": [0, 1, -1], "scalings": [1.0, 1.0]}  # fmt: skip
    apply_batched(**good)
    with pytest.raises(error, match=named):
        apply_batched(**(good | changes))


def test_numbers_too_large_are_named_not_warned_about():
    with pytest.raises(ValueError, match="overflows float64"):
        lora_delta(X * 1e300, A * 1e300, B, 1.0)
    half = [item.astype(np.float16) for item in (X * 6e4, A, B)]
    with pytest.raises(ValueError, match="overflows float16"):
        lora_delta(*half, 4.0)


@pytest.mark.parametrize("apply", [apply_batched, apply_row_by_row])
def test_both_ways_refuse_nan(apply):
    with pytest.raises(ValueError, match="x holds 12 NaN"):
        apply(NAN, W, [(A, B)], [0, 0, -1], [1.0])


def test_an_adapter_above_the_slot_rank_is_refused():
    with pytest.raises(ValueError, match="max_lora_rank is 1"):
        pad_adapter(A, B, 1)


@given(st.integers(1, 4), st.integers(0, 99))
def test_a_merged_layer_is_base_plus_adapter(rank, seed):
    rng = np.random.default_rng(seed)
    x, W, A, B = (
        rng.integers(-3, 4, shape).astype(float)
        for shape in ((5, 6), (7, 6), (rank, 6), (7, rank))
    )
    merged = merge_weights(W, A, B, 2.0)
    np.testing.assert_array_equal(x @ merged.T, apply_single(x, W, A, B, 2.0))
