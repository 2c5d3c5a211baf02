"""One sort for all layers, the loop's own numbers, and refused segments."""

from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches import batches
from multilora.matmul import groups, lora
from multilora.matmul.counting import counting
from multilora.matmul.lora import apply_batched, apply_row_by_row
from multilora.matmul.segments import (
    Segments,
    apply_layers,
    apply_segments,
    fast_layout,
    segments_of,
)

IDS = st.lists(st.integers(-1, 6), min_size=1, max_size=30)
X, W = np.ones((3, 4)), np.ones((5, 4))
A, B = np.ones((2, 4)), np.ones((5, 2))


@given(batches())
def test_segments_are_the_row_loop_exactly_on_whole_numbers(batch):
    x, W, adapters, ids, scalings = batch
    segments = segments_of(ids)
    ordered = apply_segments(segments.sort(x), W, adapters, segments, scalings)
    assert np.array_equal(segments.unsort(ordered), apply_row_by_row(*batch))


@given(batches(), st.integers(1, 3))
def test_many_rows_are_the_row_loop_too(batch, times):
    """Groups on both sides of FEW_ROWS take different ways."""
    x, W, adapters, ids, scalings = batch
    times *= groups.FEW_ROWS
    many = np.tile(x, (times, 1)), W, adapters, ids * times, scalings
    expected = np.tile(apply_row_by_row(*batch), (times, 1))
    assert np.array_equal(apply_batched(*many), expected)


@given(IDS)
def test_sort_and_unsort_undo_each_other(ids):
    segments, x = segments_of(ids), np.arange(2 * len(ids)).reshape(-1, 2)
    assert np.array_equal(segments.unsort(segments.sort(x)), x)
    assert np.array_equal(segments.sort(segments.unsort(x)), x)


@given(IDS)
def test_each_segment_holds_one_adapter_and_its_rows_in_order(ids):
    segments = segments_of(ids)
    assert [span[0] for span in segments.spans] == sorted(set(ids))
    for adapter_id, start, stop in segments.spans:
        own = [row for row, item in enumerate(ids) if item == adapter_id]
        assert segments.order[start:stop].tolist() == own


@st.composite
def stacks(draw):
    """A batch through two to four layers whose widths change."""
    rows, num_adapters = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    widths = draw(st.lists(st.integers(1, 6), min_size=3, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def whole(*shape):
        return rng.integers(-3, 4, shape).astype(float)

    pairs = list(pairwise(widths))
    Ws = [whole(width_out, width_in) for width_in, width_out in pairs]
    tables = [
        [
            (whole(2, width_in), whole(width_out, 2)) if rng.random() < 0.8
            else None
            for _ in range(num_adapters)
        ]
        for width_in, width_out in pairs
    ]  # fmt: skip
    ids = rng.integers(-1, num_adapters, rows)
    return whole(rows, widths[0]), Ws, tables, ids, [2.0] * num_adapters


@given(stacks())
def test_layers_are_batches_one_after_the_other(stack):
    x, Ws, tables, ids, scalings = stack
    expected = x
    for W, adapters in zip(Ws, tables, strict=True):
        expected = apply_row_by_row(expected, W, adapters, ids, scalings)
    assert np.array_equal(apply_layers(*stack), expected)


@given(stacks())
def test_all_layers_share_one_sort_and_each_has_one_base_matmul(stack):
    x, Ws, tables, ids, scalings = stack
    counted = [counting(W) for W in Ws]
    with mock.patch.object(np, "argsort", wraps=np.argsort) as sorts:
        apply_layers(x, counted, tables, ids, scalings)
    assert sorts.call_count == 1
    assert [W.calls for W in counted] == [["matmul"]] * len(Ws)


@given(batches())
def test_the_fast_layout_changes_where_numbers_lie_and_no_number(batch):
    x, W, adapters, ids, scalings = batch
    fast = [pair and fast_layout(*pair) for pair in adapters]
    for ours, pair in zip(fast, adapters, strict=True):
        if pair is not None:
            assert all(map(np.array_equal, ours, pair))
            assert ours[1].T.flags.c_contiguous
            assert ours[0].flags.c_contiguous
    y = apply_batched(x, W, fast, ids, scalings)
    assert np.array_equal(y, apply_row_by_row(*batch))


def test_the_fast_layout_mends_what_lies_across():
    A = np.arange(8.0).reshape(4, 2).T
    ours, _ = fast_layout(A, np.ones((5, 2)))
    assert ours.flags.c_contiguous and np.array_equal(ours, A)


@pytest.mark.parametrize(
    ("order", "spans", "named"),
    [
        ([0, 0], [(0, 0, 2)], "order is"),
        ([0, 2], [(0, 0, 2)], "order is"),
        ([0.0, 1.0], [(0, 0, 2)], "order is"),
        ([[0], [1]], [(0, 0, 2)], "order is"),
        ([0, 1], [(0, 0, 1)], "spans end at row 1"),
        ([0, 1], [(0, 0, 1), (1, 0, 2)], "after row 1"),
        ([0, 1], [(0, 0, 0), (1, 0, 2)], "after row 0"),
        ([0, 1, 2], [(0, 0, 1), (1, 2, 3)], "after row 1"),
        ([0, 1], [(-2, 0, 2)], "spans holds"),
        ([0, 1], [(0, 2)], "spans holds"),
        ([0, 1], [0, 2], "spans holds"),
        ([0, 1], None, "spans is None"),
    ],
)
def test_segments_that_miss_a_row_are_refused(order, spans, named):
    with pytest.raises((ValueError, TypeError), match=named):
        Segments(order, spans)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: segments_of([]), "at least one"),
        (lambda: segments_of([0, -2]), "adapter_ids holds -2"),
        (lambda: segments_of([0.5]), "adapter_ids is"),
        (lambda: segments_of([0, 1]).sort(X), "x is array of shape"),
        (lambda: segments_of([0, 1]).unsort(X), "y is array of shape"),
        (lambda: fast_layout(B, A), "A has shape"),
        (lambda: apply_segments(X, W, [(A, B)], [0] * 3, [1.0]), "segments"),
        (lambda: apply_segments(X, W, [(A, B)], segments_of([0]), [1.0]),
         "segments holds 1 rows, but x has 3"),
        (lambda: layers(Ws=[]), "Ws holds 0 layers"),
        (lambda: layers(Ws=[W, W]), "Ws holds 2 layers"),
        (lambda: layers(Ws=[W[:, :3]]), "layer 0 of Ws"),
        (lambda: layers(tables=[[(B, A)]]), r"adapters_by_layer: adapters"),
        (lambda: layers(scalings=[None]), r"scalings\[0\] is None"),
        (lambda: layers(x=X[:2]), "x is array of shape"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, named):
    with pytest.raises((ValueError, TypeError), match=named):
        call()


def layers(x=X, Ws=(W,), tables=([(A, B)],), scalings=(1.0,)):
    return apply_layers(x, Ws, tables, [0, 0, -1], scalings)


def test_an_error_in_a_later_layer_says_which():
    tables = [[(A, B)], [(A * np.nan, np.ones((4, 2)))]]
    with pytest.raises(ValueError, match=r"layer 1 of .*adapters\[0\]\.A"):
        layers(Ws=[W[:4], W[:4]], tables=[[(A, B[:4])], tables[1]])


def test_the_names_of_lora_are_those_of_groups():
    assert lora.group_rows is groups.group_rows
    assert lora.apply_groups is groups.apply_groups
