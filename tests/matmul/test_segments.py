"""One sort for all layers, the loop's own numbers, and the quick look-up."""

from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batches import batches
from multilora.arguments import require_finite
from multilora.figures import style
from multilora.figures.crossovers import (
    crossing,
    crossovers_table,
    draw_crossovers,
)
from multilora.matmul import groups, lora
from multilora.matmul.counting import counting
from multilora.matmul.lora import apply_batched, apply_row_by_row
from multilora.matmul.operands import check_base, check_ids, look_up
from multilora.matmul.segments import (
    Segments,
    apply_layers,
    apply_segments,
    fast_layout,
    segments_of,
)
from multilora.published import published

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


def plain_loop(x, W, adapters, adapter_ids, scalings):
    """What apply_batched must do, with look_up and nothing quick."""
    x, W = check_base(x, W)
    ids = check_ids(adapter_ids, len(x)).tolist()
    distinct = sorted(set(ids) - {-1})
    found = {i: look_up(adapters, scalings, i, x, W) for i in distinct}
    with np.errstate(all="ignore"):
        y = x @ W.T
        for row, adapter_id in enumerate(ids):
            if found.get(adapter_id) is not None:
                A, B, scaling = found[adapter_id]
                y[row] += ((x[row] @ A.T) * scaling) @ B.T
    if not np.isfinite(y).all():
        require_finite("x", x)
        require_finite("W", W)
        for i, adapter in found.items():
            for name, matrix in zip("AB", adapter or (), strict=False):
                require_finite(f"adapters[{i}].{name}", matrix)
        raise ValueError(f"the result overflows {y.dtype}")
    return y


DTYPES = (bool, np.int64, np.float16, np.float32, np.longdouble, complex,
          object, "U1")  # fmt: skip
ODD = [
    None, 0, 1.5, "ab", (), [], {}, {1, 2}, [[1.0, 2.0], [3.0]], np.ones(4),
    np.array(1.0), np.ones((1, 1)), np.ones((2, 5, 4)), np.ones((2, 4, 4)),
    np.ones((0, 4)), np.ones((4, 0)), np.ones((0, 0)), np.ones((5, 2)),
    np.full((2, 4), np.nan), np.full((4, 2), np.inf), np.ma.ones((2, 4)),
    np.full((2, 4), 3e38, np.float32), np.ones((8, 4))[::4],
    [[1.0] * 4] * 2, np.ones((1, 4)), np.ones((4, 1)),
    *(np.ones(shape).astype(dtype)
      for dtype in DTYPES for shape in ((2, 4), (4, 2))),
]  # fmt: skip
SCALINGS = [1.0, 2, True, None, "x", np.nan, -np.inf, 1e300, np.float32(2),
            np.float64(3), np.array(2.0), np.array([2.0]), 1j,
            -0.0, np.True_]  # fmt: skip
ANY_ID = st.sampled_from([0, 1, 2, 10**18])
GOOD_A, GOOD_B = np.ones((2, 4)), np.ones((4, 2))
PARTS = st.sampled_from([*ODD, GOOD_A, GOOD_A, GOOD_B, GOOD_B])
PAIRS = (
    st.tuples(st.just(GOOD_A), PARTS)
    | st.tuples(PARTS, st.just(GOOD_B))
    | st.tuples(PARTS, PARTS, st.sampled_from([tuple, list])).map(
        lambda three: three[2](three[:2])
    )
    | st.sampled_from([*ODD, np.ones((2, 4, 4)), (GOOD_A, GOOD_B, 1)])
)


@st.composite
def odd_batches(draw):
    entries = draw(st.lists(PAIRS, min_size=2, max_size=2))
    good = st.just(1.0)
    scalings = [
        draw(good | st.sampled_from(SCALINGS))
        for _ in range(draw(st.integers(1, 2)))
    ]
    tables = []
    for row in (entries, scalings):
        kind = draw(st.sampled_from(["list", "tuple", "dict", "stack"]))
        tables.append(
            {"list": row, "tuple": tuple(row), "dict": dict(enumerate(row)),
             "stack": stacked(row)}[kind]
        )  # fmt: skip
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int64]))
    x, W = np.ones((3, 4), dtype), np.ones((4, 4), dtype)
    ids = draw(st.lists(st.integers(-1, 1) | ANY_ID, min_size=3, max_size=3))
    return x, W, tables[0], ids, tables[1]


def stacked(row):
    """The row as one array where it can be one, else as it is."""
    try:
        with np.errstate(all="ignore"):
            return np.array(row)
    except (ValueError, TypeError, OverflowError):
        return row


def outcome(function, batch):
    """The result with its dtype, or the error with its first words."""
    try:
        y = function(*batch)
    except (ValueError, TypeError) as error:
        return type(error), str(error).split(":")[0]
    return y.dtype, y.tolist()


@settings(max_examples=400)
@given(odd_batches())
def test_the_quick_look_up_takes_and_refuses_what_the_slow_one_does(batch):
    """Odd entries of each kind: same numbers, or the same error."""
    expected = outcome(plain_loop, batch)
    assert outcome(apply_batched, batch) == expected
    assert outcome(apply_row_by_row, batch) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_odd_pair_and_scaling_meets_the_same_end(dtype):
    """Every A with every B, every entry and every scaling, one at a time."""
    parts = [*ODD, GOOD_A, GOOD_B]
    entries = [(A, B) for A in parts for B in parts] + parts
    cases = [(entry, 1.0) for entry in entries]
    cases += [((GOOD_A, GOOD_B), scaling) for scaling in SCALINGS]
    x = np.ones((3, 4), dtype)
    for entry, scaling in cases:
        batch = x, np.ones((4, 4), dtype), [entry], [0, -1, 0], [scaling]
        assert outcome(apply_batched, batch) == outcome(plain_loop, batch)


def test_large_numbers_that_fit_are_no_overflow():
    y = apply_batched(X * 1e200, W, [(A, B)], [0, -1, 0], [1.0])
    assert np.array_equal(y[:, 0], [12e200, 4e200, 12e200])


def test_the_usual_case_is_taken_at_first_sight():
    """Else nothing above would tell the quick look-up from none at all."""
    with mock.patch.object(groups, "look_up", side_effect=AssertionError):
        apply_batched(X, W, [(A, B)], [0, -1, 0], [1.0])
        apply_batched(X, W, {7: [A, B]}, [7, -1, 7], {7: 1.0})


def test_an_adapter_that_is_not_used_is_not_looked_at():
    class Table(dict):
        def __missing__(self, adapter_id):
            raise AssertionError(f"{adapter_id} was read")

    table = Table({0: (A, B)})
    y = apply_batched(X, W, table, [0, -1, -1], {0: 1.0})
    assert y[:, 0].tolist() == [12, 4, 4]
    with pytest.raises(ValueError, match="adapter_ids holds 3"):
        apply_batched(X, W, table, [3, -1, -1], {0: 1.0})


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


def test_a_crossing_lies_where_the_cheaper_design_changes():
    table = {"rows": [1, 4, 16], "late": [4.0, 2.0, 1.0], "early": [2.0] * 3}
    assert crossing(table, "late", "early") == pytest.approx(4)
    table["late"] = [8.0, 4.0, 1.0]
    assert crossing(table, "late", "early") == pytest.approx(8)
    assert crossing(table, "early", "late") is None
    assert crossing(table | {"late": [3.0] * 3}, "late", "early") is None


def test_the_stored_crossovers_are_whole_and_hold_lines_to_their_formulas():
    """Each point was measured at both widths, with every design."""
    rows = published("benchmarks")["crossovers"]
    points = {(row["width"], row["rows"], row["num_adapters"]) for row in rows}
    assert len(points) == len(rows)
    assert {point[1:] for point in points if point[0] == 512} == {
        point[1:] for point in points if point[0] == 4096
    }
    table = crossovers_table(4096, 16)
    assert table["flop_share"] == 100 * 2 * 16 / 4096
    assert table["mask_share"] == 12.5
    assert table["rows"] == [16, 64, 256]
    point = {"width": 4096, "rows": 64, "num_adapters": 16}
    (at,) = (row for row in rows if point.items() <= row.items())
    assert table["grouped"][1] == pytest.approx(100 * (at["unsorted"] - 1))
    assert all(0.9 < row["base again"] < 1.1 for row in rows)


def test_a_width_that_was_not_measured_is_refused():
    with pytest.raises(ValueError, match="width is 513, allowed: 512, 4096"):
        crossovers_table(513, 1)
    with pytest.raises(ValueError, match="num_adapters is 3"):
        crossovers_table(512, 3)


def test_the_picture_says_where_the_lines_cross():
    say = draw_crossovers(style.new_figure(), 4096, 1)
    assert say.startswith("Width 4096, 1 adapter: grouping beats the row loop")
    rows = crossing(crossovers_table(4096, 16), "grouped", "row loop")
    say = draw_crossovers(style.new_figure(), 4096, 16)
    assert f"about {rows / 16:.1f} rows per adapter" in say
