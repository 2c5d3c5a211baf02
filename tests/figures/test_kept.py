"""A kept figure, redrawn by copying, is the figure drawn afresh."""

import io
import random

import matplotlib
import pytest
from matplotlib.backends.backend_svg import RendererSVG

from explored import EXPLORERS, each_explorer
from multilora.figures import kept, style
from multilora.figures.style import new_figure, render_svg
from scenes import PLAIN, draw_line, draw_scene, require_same, stills_of


def test_explorers_are_found():
    assert len(EXPLORERS) > 12


@each_explorer
def test_every_explorer_jumps_about(explorer, page):
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
