"""A kept figure, redrawn by copying, is the figure drawn afresh."""

import io
import random
from pathlib import Path

import matplotlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_svg import RendererSVG

from multilora.book.explorers import stored_explorers
from multilora.figures import kept, style
from multilora.figures.style import new_figure, render_svg
from scenes import PLAIN, draw_line, draw_scene, require_same, stills_of

ROOT = Path(__file__).parents[2]
EXPLORERS = [
    pytest.param(explorer, id=explorer.name)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    for explorer, _ in stored_explorers(path)
]


def test_explorers_are_found():
    assert len(EXPLORERS) > 12


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_every_explorer_jumps_about(explorer):
    """Between ends and middles, and back to where it has been."""
    few = {
        axis: {stops[0], stops[len(stops) // 2], stops[-1]}
        for axis, stops in explorer.axes.items()
    }
    asked = [
        stops
        for stops in explorer.combinations()
        if all(stop in few[axis] for axis, stop in stops.items())
    ]
    rng = random.Random(explorer.name)
    asked = rng.sample(asked, min(3, len(asked)))
    require_same(explorer.draw, [*asked, asked[0]])


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


def test_wrong_settings_are_not_kept():
    figure = new_figure()
    good = {"title": "a", "xlim": (0, 1)}
    style.panels(figure, good)
    for _ in range(2):
        with pytest.raises(AttributeError, match="colour"):
            style.panels(figure, {"colour": 1})
    (axes,) = style.panels(figure, good)
    assert figure.axes == [axes]


def test_a_figure_without_panels_is_redrawn_as_it_was():
    """Pictures in pictures have a resolution, which must hold still too."""

    def draw(fig, at):
        fig.clear()
        fig.add_subplot().imshow([[1, at], [at, 3]])
        return "An image."

    figure = new_figure()
    asked = [{"at": at} for at in (1, 2, 1)]
    first, _, again = [render_svg(draw, values, figure) for values in asked]
    assert first == again == render_svg(draw, {"at": 1})


def test_what_stands_still_is_not_drawn_again():
    """Else redraws are as slow as matplotlib's; kept.py says what it needs."""
    figure = new_figure()
    render_svg(draw_line, {"at": 1}, figure)
    stills = stills_of(figure)
    legends = [axes.get_legend() for axes in figure.axes]
    kinds = {type(still.artist).__name__ for still in stills}
    assert kinds == {"XAxis", "YAxis", "Spine", "Text", "Legend"}
    assert sum(still.artist in legends for still in stills) == 2

    def fail(renderer):
        pytest.fail(
            f"matplotlib {matplotlib.__version__} does not let figures/"
            "kept.py copy what stands still: see Still.__call__ and _look"
        )

    for still in stills:
        still.draw_plainly = fail
    render_svg(draw_line, {"at": 1}, figure)


def test_the_state_of_the_renderer_is_known():
    """What a table of another type counts would go unnoticed."""
    seen = []
    figure = new_figure()
    draw_scene(figure, **PLAIN)
    figure.axes[0].xaxis.draw = lambda renderer: seen.append(renderer)
    figure.canvas.print_svg("/dev/null")
    svg = seen[0]._renderer
    assert isinstance(svg, RendererSVG)
    others = set(vars(svg)) - set(kept._copied(vars(svg)))
    assert others <= {
        "writer",
        "_image_counter",
        "_text2path",
        "_texmanager",
    }, (
        f"matplotlib {matplotlib.__version__} keeps more in its renderer than "
        "figures/kept.py copies"
    )


def test_an_unknown_renderer_draws_plainly(monkeypatch):
    monkeypatch.setattr(kept, "RendererSVG", type("Other", (), {}))
    require_same(draw_line, [{"at": 1}, {"at": 2}, {"at": 1}])


def test_a_kept_figure_can_be_saved_as_ever():
    figure, out = new_figure(), io.StringIO()
    for at in (1, 2):
        svg, _ = render_svg(draw_line, {"at": at}, figure)
    with matplotlib.rc_context(style.RC):
        figure.savefig(out, format="svg", metadata=style._NO_METADATA)
        figure.draw_without_rendering()
    assert render_svg(draw_line, {"at": 2}, figure)[0] == svg
    text = out.getvalue()
    assert svg in text.replace("'DejaVu Sans'", style.FONTS)


def test_limits_that_follow_the_data_forget_the_last_data():
    def draw(fig, at):
        (axes,) = style.panels(fig, {"xlabel": "x"})
        axes.plot([0, at], [at, 0])
        return "A line."

    require_same(draw, [{"at": at} for at in (1, 9, 100, 2, 1)])
