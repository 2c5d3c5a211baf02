"""The picture of the floors: every room in order, each import on its side."""

import re

import pytest

from multilora.figures.floors import draw_floors, floors_size
from multilora.figures.style import new_figure, render_svg

ROOMS = ("roof", "hall", "cellar")


def drawn(uses):
    figure = new_figure()
    values = {"rooms": ROOMS, "uses": uses}
    svg, sentence = render_svg(draw_floors, values, figure)
    marks = {line.get_marker(): list(zip(*line.get_data(), strict=True))
             for line in figure.axes[0].lines
             if line.get_marker() != "None"}  # fmt: skip
    return svg, sentence, marks, figure.axes[0]


def test_rooms_are_named_twice_and_in_their_order():
    svg, *_, axes = drawn({})
    rows = [t for t in axes.texts if t.get_rotation() == 0]
    heads = [t for t in axes.texts if t.get_rotation() == 90]
    assert [t.get_text() for t in rows] == list(ROOMS)
    assert [t.get_text() for t in heads] == list(ROOMS)
    # y grows downwards: the first room is the top floor.
    assert axes.yaxis_inverted()
    heights = [t.get_position()[1] for t in rows]
    assert heights == sorted(heights)
    lefts = [t.get_position()[0] for t in heads]
    assert lefts == sorted(lefts)
    assert len(re.findall(r">(?:roof|hall|cellar)<", svg)) == 6


def test_imports_that_point_down_are_dots_right_of_the_steps():
    uses = {"roof": {"cellar", "hall"}, "hall": {"cellar"}}
    _, sentence, marks, axes = drawn(uses)
    rows = {t.get_position()[1]: t.get_text()
            for t in axes.texts if t.get_rotation() == 0}  # fmt: skip
    heads = {t.get_position()[0]: t.get_text()
             for t in axes.texts if t.get_rotation() == 90}  # fmt: skip
    pairs = {(rows[y], heads[x]) for x, y in marks["o"]}
    assert pairs == {("roof", "cellar"), ("roof", "hall"), ("hall", "cellar")}
    assert marks["X"] == []
    assert "3 floors, from roof down to cellar" in sentence
    assert "All 3 dots lie right of the steps" in sentence


def test_an_import_that_points_up_is_a_cross_and_is_named():
    _, sentence, marks, _ = drawn({"roof": ["hall"], "cellar": ["roof"]})
    assert len(marks["o"]) == len(marks["X"]) == 1
    ((x, y),) = marks["X"]
    ((other_x, other_y),) = marks["o"]
    assert x < other_x and y > other_y
    assert sentence.endswith("against the rule: cellar from roof.")
    assert "All" not in sentence


@pytest.mark.parametrize("num_rooms", [3, 20, 21])
def test_letters_are_large_enough_on_a_phone(num_rooms):
    """358 px of 390 are the page's: no letter below 9 points there."""
    width, _ = floors_size(num_rooms)
    scale = min(1, 358 / (96 * width))
    names = [f"room{number}" for number in range(num_rooms)]
    figure = new_figure()
    render_svg(draw_floors, {"rooms": names, "uses": {}}, figure)
    assert tuple(figure.get_size_inches()) == pytest.approx(
        floors_size(num_rooms)
    )
    sizes = {text.get_fontsize() for text in figure.axes[0].texts}
    assert scale * min(sizes) >= 9
