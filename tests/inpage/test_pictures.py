"""Pictures of a case: well-formed, within their width, names as text."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.inpage.drawing import WIDTH, Axis, legend, marks, svg, ticks
from multilora.inpage.pictures import (
    KINDS,
    Dot,
    hit_line,
    memory_bars,
    promise_dots,
)

SPACE = "{http://www.w3.org/2000/svg}"
TITLE = 'a <b>"title"</b> & \x00 more'
GIB = st.floats(0, 1e4)
ROW = st.fixed_dictionaries(dict.fromkeys(KINDS, GIB))
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def parsed(text):
    """The picture's root: its title is TITLE, its parts within the view."""
    root = ET.fromstring(text)
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (left, top, width) == (0, 0, WIDTH) and height > 0
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SPACE}title").text
    for item in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(item.get(name, 0)) <= WIDTH + 0.1
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(item.get(name, 0)) <= height + 0.1
        if item.tag == f"{SPACE}rect":
            right = float(item.get("x")) + float(item.get("width"))
            assert right <= WIDTH + 0.2
        assert float(item.get("font-size", 12)) >= 11
    return root


@given(st.dictionaries(ANY, ROW, min_size=1, max_size=5),
       st.floats(0.1, 1e4))  # fmt: skip
def test_bars_are_as_long_as_their_bytes(rows, card_gib):
    root = parsed(memory_bars(rows, card_gib, TITLE))
    labels = {item.text for item in root.iter(f"{SPACE}text")}
    if not any(label.isspace() or not label for label in rows):
        assert len(labels) >= 1
    longest = max(sum(row.values()) for row in rows.values())
    has_limit = root.find(f"{SPACE}line[@class='limit']") is not None
    assert has_limit == (longest > card_gib)


def test_a_bar_of_half_the_card_takes_half_the_axis():
    rows = {"x": {"base weights": 30.0, "KV": 30.0}}
    root = parsed(memory_bars(rows, 60, TITLE))
    bars = [i for i in root.iter(f"{SPACE}rect") if i.get("height") == "20"]
    weights, kv = (float(bar.get("width")) for bar in bars)
    assert weights == pytest.approx(kv, abs=0.2)
    assert float(bars[1].get("x")) + kv == pytest.approx(WIDTH - 12, abs=0.2)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=2000), st.data())
def test_a_line_has_its_ends_and_its_mark(shares, data):
    marked = data.draw(st.integers(1, len(shares)))
    root = parsed(hit_line(shares, marked, TITLE))
    points = root.find(f"{SPACE}polyline").get("points").split()
    assert len(points) <= 245
    dot = root.find(f"{SPACE}circle[@class='mark']")
    assert f"{dot.get('cx')},{dot.get('cy')}" in points


@given(
    st.lists(st.builds(Dot, st.floats(0, 1e9), st.booleans()), min_size=1,
             max_size=900),
    st.floats(1e-3, 1e9),
)  # fmt: skip
def test_dots_tell_late_from_in_time_by_form(dots, limit_ms):
    root = parsed(promise_dots(dots, limit_ms, TITLE))
    met = root.findall(f"{SPACE}circle[@class='met']")
    late = root.findall(f"{SPACE}path[@class='late']")
    assert 0 < len(met) + len(late) <= 400
    if len(dots) <= 400:
        assert len(met) == sum(dot.is_met for dot in dots)


def test_a_dot_on_the_promise_lies_on_its_line():
    root = parsed(promise_dots([Dot(500.0, True)], 500.0, TITLE))
    line = root.find(f"{SPACE}line[@class='limit']")
    assert root.find(f"{SPACE}circle").get("cy") == line.get("y1")


@given(st.floats(0, 1e12), st.integers(1, 9))
def test_ticks_are_few_and_end_within(high, most):
    found = ticks(high, most)
    assert found[0] == 0 and len(found) <= most + 1
    assert found[-1] <= high * 1.0001 + 1e-9


@given(st.floats(1, 1e9), st.floats(1, 1e9))
def test_marks_lie_between(low, high):
    found = marks(min(low, high), max(low, high))
    assert found == sorted(found) and len(found) <= 10
    assert all(min(low, high) <= mark <= max(low, high) for mark in found)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(-1e7, 1e7))
def test_an_axis_keeps_within_its_ends(low, more, value):
    assert 10 <= Axis(low, low + more, 10, 90).at(value) <= 90


@given(ANY, st.lists(ANY, max_size=4, unique=True))
def test_any_text_is_text(title, names):
    parts, height = legend(dict.fromkeys(names, "kv"), 0)
    root = ET.fromstring(svg(parts, height, title))
    assert {item.tag for item in root} <= {
        f"{SPACE}title", f"{SPACE}rect", f"{SPACE}text",
    }  # fmt: skip
