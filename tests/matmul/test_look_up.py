"""The quick look-up takes and refuses what the slow one does."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.arguments import require_finite
from multilora.matmul import groups
from multilora.matmul.lora import apply_batched, apply_row_by_row
from multilora.matmul.operands import check_base, check_ids, look_up

X, W = np.ones((3, 4)), np.ones((5, 4))
A, B = np.ones((2, 4)), np.ones((5, 2))


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
