"""JSON that nests too deep is refused, whatever stands in its strings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.nested import MAX_DEPTH, check_depth, json_value

VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.text('[]{}"\\\\'),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text('{["\\\\'), inner, max_size=3)
    ),
)


def depth_of(value):
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth_of, inner), default=0)


@given(VALUES, st.integers(0, 2 * MAX_DEPTH), st.booleans())
def test_depth_is_that_of_brackets_outside_of_strings(value, more, is_bytes):
    text = "[" * more + json.dumps([value, "[" * 300]) + "]" * more
    depth = more + depth_of([value])
    text = text.encode() if is_bytes else text
    if depth > MAX_DEPTH:
        with pytest.raises(RecursionError):
            json_value(text)
    else:
        assert json_value(text) == json.loads(text)


@pytest.mark.parametrize("end", ["", "\\", "x"])
def test_a_string_that_is_cut_off_does_not_count(end):
    check_depth('[{"a": "' + "[{" * 999 + end)
    with pytest.raises(RecursionError):
        check_depth("[" * 101 + '"a')


@pytest.mark.parametrize("wrong", [None, 5, [], {}, 1.5])
def test_what_is_no_text_is_named(wrong):
    for function in (check_depth, json_value):
        with pytest.raises(TypeError, match=r"^text is"):
            function(wrong)
