"""Pictures with whatever a figure may hold, and how two ways are compared."""

from multilora.figures import kept, style
from multilora.figures.style import new_figure, render_svg
from slider_move import plain_svg

PLAIN = {"lines": [{"label": "a"}], "bars": 0, "hatch": None, "area": False,
         "words": "", "title": "one", "xlim": 4, "tick_color": "C0",
         "num_panels": 2, "has_twin": False, "loc": "upper left", "ncols": 1,
         "spine": False}  # fmt: skip


def require_same(draw, asked):
    """Fail unless one kept figure draws all these as fresh ones do."""
    figure, fresh = new_figure(), {}
    for values in asked:
        key = repr(values)
        if key not in fresh:
            fresh[key] = plain_svg(draw, values, new_figure())
        assert render_svg(draw, values, figure) == fresh[key], values
    return figure


def draw_scene(fig, lines, bars, hatch, area, words, title, xlim, tick_color,
               num_panels, has_twin, loc, ncols, spine):  # fmt: skip
    """Draw whatever figures may hold; touch what stands still as well."""
    settings = {"title": title, "xlabel": "x", "ylim": (0, 4)}
    for axes in style.panels(fig, *[settings] * num_panels):
        axes.set_xlim(0, xlim)
        axes.xaxis.get_major_ticks()[1].label1.set_color(tick_color)
        axes.spines["right"].set_visible(spine)
        for at, line in enumerate(lines):
            axes.plot([0, 1 + at, 4], [at, 1, 3], **line)
        if bars:
            axes.bar(range(bars), 2, hatch=hatch, label="bars")
        if area:
            axes.axvspan(0, 1, label="span")
            axes.fill_between([1, 3], [1, 2], label="area", alpha=0.4)
            axes.annotate("here", (1, 1), (2, 2), arrowprops={"width": 1})
        style.threshold(axes, xlim - 2, words or "_", vertical=area)
        axes.text(1, 3, words)
        # A twin would stay on a kept figure: an inset goes with the data.
        if has_twin:
            axes.inset_axes((0.5, 0.5, 0.4, 0.4)).plot([1, 2])
        if axes.get_legend_handles_labels()[0]:
            style.legend(axes, loc=loc, ncols=ncols)
    return f"{len(lines)} lines"


def draw_line(fig, at):
    """In the colour that comes next: the first again in every frame."""
    limits = {"xlim": (0, 9), "ylim": (0, 2)}
    for axes in style.panels(fig, {"title": "a"} | limits, limits):
        axes.plot([0, at], label="data")
        style.legend_above(axes)
    return "A line."


def stills_of(figure):
    artists = [a for axes in figure.axes for a in axes.get_children()]
    return [a.draw for a in artists if isinstance(a.draw, kept.Still)]
