"""How a page looks: one colour a meaning, kept axes, SVG out."""

import re
from importlib.resources import files

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform

from multilora.arguments import shown
from multilora.figures.kept import Still, legend, write_svg

# Okabe and Ito's palette, safe for colour-blind readers; orange and sky blue
# darkened until they stand out from white by 3 to 1.
WEIGHTS = "#0072B2"
SLOTS = "#C47F00"
KV = "#009E73"
HIT = "#3A8FC7"
MISS = "#D55E00"
DEFERRED = "#CC79A7"
INK = "#000000"
PALE = "#8a8a8a"

STYLE = str(files("multilora").joinpath("figures/style.mplstyle"))
RC = mpl.rc_params_from_file(STYLE, use_default_template=False)
SIZE = (6.0, 3.1)  # inches; at 390 px the text is still legible


def new_figure(size=SIZE):
    """Return an empty Figure that draws to SVG, without pyplot."""
    # 72: an SVG's own resolution, so that no drawing has to change it.
    figure = Figure(figsize=size, dpi=72, facecolor="none")
    FigureCanvasSVG(figure)
    return figure


def panels(fig, *settings):
    """Return one axes for each dict of axes settings, emptied of data.

    When the settings are those of the last call, except for titles, the
    axes are kept, ticks and all, and only what was drawn on them is removed:
    the fast way to move a slider. `widths` in the first dict gives relative
    widths, `left` the share of the figure left of the first axes.
    """
    settings = [dict(setting) for setting in settings]
    titles = [setting.pop("title", "") for setting in settings]
    key = repr(settings)
    if getattr(fig, "kept_key", None) != key:
        fig.kept_key = None  # should the settings turn out to be wrong
        _lay_out(fig, settings)
        fig.kept_key = key
    for (axes, kept), title in zip(
        fig.kept_artists.items(), titles, strict=True
    ):
        _empty(axes, kept)
        if axes.get_title(loc="left") != title:
            axes.set_title(title, loc="left")
    return list(fig.kept_artists)


def _empty(axes, kept):
    """Remove all but these artists."""
    axes.legend_ = None  # not remove(): it may be shown again
    for artist in axes.get_children():
        if artist not in kept:
            artist.remove()
    # Bars stay in the legend through their containers otherwise.
    axes.containers.clear()
    axes.set_prop_cycle(None)
    axes.relim()


def _lay_out(fig, settings):
    """Make the axes, and have what stands still on them remembered."""
    fig.clear()
    widths = settings[0].pop("widths", None)
    left = settings[0].pop("left", 0.13)
    grid = fig.subplots(1, len(settings), squeeze=False, width_ratios=widths)
    # Fixed margins: a layout engine would double the time of a redraw.
    fig.subplots_adjust(left=left, right=0.97, top=0.9, bottom=0.19,
                        wspace=0.38)  # fmt: skip
    for axes, setting in zip(grid[0], settings, strict=True):
        _apply(axes, setting)
    _hold_labels(fig, grid[0])
    fig.kept_artists = {axes: set(axes.get_children()) for axes in grid[0]}
    for axes in grid[0]:
        for artist in axes.get_children():
            if artist.get_visible() and artist is not axes.patch:
                Still(artist)


def _hold_labels(fig, all_axes):
    """Fix the axis labels where they stand, beside the longest tick label.

    A label that looks for its place at every redraw costs a third of it.
    """
    fig.draw_without_rendering()
    for axes in all_axes:
        for axis in (axes.xaxis, axes.yaxis):
            place = axis.label.get_transform().transform(
                axis.label.get_position()
            )
            axis.set_label_coords(*place, transform=IdentityTransform())


def _apply(axes, setting):
    ticks = setting.pop("xticks", None)
    labels = setting.pop("xticklabels", None)
    grid_axis = setting.pop("grid", "both")
    axes.set(**setting)
    if ticks is not None:
        axes.set_xticks(ticks, labels)
        axes.minorticks_off()
    axes.grid(False)
    if grid_axis:
        axes.grid(True, axis=grid_axis)


def threshold(axes, value, label, vertical=False, end=1):
    """Draw and name the line that matters, to this share of the axes."""
    line = axes.axvline if vertical else axes.axhline
    line(value, 0, end, color=INK, linewidth=1, linestyle=(0, (4, 2)),
         label=label)  # fmt: skip


def dots(axes, x, y, color, label, size=3):
    """Draw many points as one path: a third of the text of as many markers."""
    axes.plot([], [], "o", ms=size, color=color, label=label)
    if len(x):
        places = np.repeat(np.column_stack([x, y]), 2, axis=0)
        # A line of no length with a round cap is a dot; simplified, it goes.
        path = Path(places, [Path.MOVETO, Path.LINETO] * len(x))
        path.should_simplify = False
        line = {"edgecolor": color, "linewidth": size, "capstyle": "round"}
        axes.add_patch(PathPatch(path, fill=False, **line))


def legend_above(axes, ncols=3):
    """Put the legend on the title's line, clear of the data."""
    legend(axes, loc="lower right", bbox_to_anchor=(1.02, 0.98), ncols=ncols,
           columnspacing=1, handlelength=1.5)  # fmt: skip


def render_svg(draw, values, figure=None):
    """Return (svg text, sentence) of draw(figure, **values)."""
    figure = figure or new_figure()
    with mpl.rc_context(RC):
        sentence = draw(figure, **values)
        if not isinstance(sentence, str):
            raise TypeError(
                f"draw returned {shown(sentence)}, but must return the "
                "sentence that the picture shows"
            )
        svg = write_svg(figure, metadata=_NO_METADATA)
    svg = re.sub(r"^.*?(?=<svg)", "", svg, flags=re.DOTALL)
    return svg.replace("'DejaVu Sans'", FONTS), sentence


# The page's reader may lack matplotlib's font; Verdana is nearly as wide.
FONTS = "'DejaVu Sans', Verdana, sans-serif"
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
