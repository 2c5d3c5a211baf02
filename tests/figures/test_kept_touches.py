"""Whatever is touched on a kept figure is drawn anew."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.figures import style
from multilora.figures.style import render_svg
from scenes import PLAIN, draw_scene, require_same

COLORS = st.sampled_from(["C0", "C1", (0, 0.5, 0)])
SCENES = st.fixed_dictionaries({
    "lines": st.lists(
        st.fixed_dictionaries({
            "color": COLORS,
            "ls": st.sampled_from(["-", "--", (0, (4, 2)), (0, (1, 3))]),
            "marker": st.sampled_from(["", "o", "s", "$1$"]),
            "ms": st.sampled_from([3, 4.5]),
            "alpha": st.sampled_from([None, 0.5]),
            "label": st.sampled_from(["a", "b & c", "_none"]),
        }), max_size=3,
    ),
    "bars": st.integers(0, 3),
    "hatch": st.sampled_from([None, "/"]),
    "area": st.booleans(),
    "words": st.sampled_from(["", "word"]),
    "title": st.sampled_from(["", "one", "two"]),
    "xlim": st.sampled_from([4, 5]),
    "tick_color": COLORS,
    "num_panels": st.sampled_from([1, 2, 2]),
    "has_twin": st.booleans(),
    "loc": st.sampled_from(["best", "upper left", "lower right"]),
    "ncols": st.integers(1, 2),
    "spine": st.booleans(),
})  # fmt: skip


@settings(max_examples=6, deadline=None)
@given(scenes=st.lists(SCENES, min_size=2, max_size=4))
def test_whatever_moves_or_is_touched_is_drawn_anew(scenes):
    require_same(draw_scene, [*scenes, scenes[0]])


TOUCHES = [
    {"xlim": 5}, {"tick_color": "C1"}, {"title": "two"}, {"title": ""},
    {"spine": True},
    {"lines": [{"label": "b"}]}, {"lines": [{"label": "a", "ls": "--"}]},
    {"lines": [{"label": "a", "ls": (0, (4, 2))}]},
    {"lines": [{"label": "a", "color": "C1"}]},
    {"lines": [{"label": "a", "marker": "s"}]},
    {"lines": []}, {"lines": [{"label": "a"}] * 2}, {"bars": 2},
    {"bars": 2, "hatch": "/"}, {"area": True}, {"words": "word"},
    {"loc": "best"}, {"loc": "lower right"}, {"num_panels": 1},
]  # fmt: skip


@pytest.mark.parametrize("touch", TOUCHES, ids=repr)
def test_a_touch_is_seen(touch):
    """Each alone, there and back, so that none hides behind another."""
    figure = require_same(draw_scene, [PLAIN, PLAIN | touch, PLAIN])
    before = render_svg(draw_scene, PLAIN, figure)
    assert before != render_svg(draw_scene, PLAIN | touch, figure)


def touch(fig, axes, part, value):
    """Change one thing that stands still, without a word to panels."""
    if part == "tick":
        axes.xaxis.get_major_ticks()[1].label1.set_alpha(value)
    elif part == "grid":
        axes.xaxis.get_gridlines()[1].set_alpha(value)
    elif part == "words":
        axes.get_legend().get_texts()[0].set_alpha(value)
    elif part == "place":
        axes.set_position((0.2, 0.2, value, 0.6))
    elif part == "size":
        fig.set_size_inches(6, 3 + value)
    elif part == "frame":
        axes.set_frame_on(value > 0.5)


@pytest.mark.parametrize(
    "part", ["tick", "grid", "words", "place", "size", "frame"]
)
def test_a_part_changed_by_hand_is_drawn_anew(part):
    def draw(fig, value):
        (axes,) = style.panels(fig, {"xlim": (0, 9), "ylim": (0, 2)})
        axes.plot([0, 1], label="data")
        style.legend_above(axes)
        touch(fig, axes, part, value)
        return "A line."

    require_same(draw, [{"value": value} for value in (0.3, 0.7, 0.6, 0.3)])
