"""What stands still in a picture: written once, then repeated.

A slider moves lines and bars; axes, ticks and words stand still. Such an
artist remembers the SVG that it wrote, and how the renderer stood before and
after, since the ids in it are counted there. Where a redraw comes by in the
same state, and nobody has touched the artist, its text is copied. Any doubt,
as with a matplotlib that works otherwise, ends in a plain drawing.
"""

import io

from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.lines import Line2D

MAX_KEPT = 16  # texts of one artist, and legends of one axes


def write_svg(figure, metadata):
    """Return the figure's SVG; what stands still is copied.

    The same as savefig's, without its care for other formats.
    """
    figure.page = io.StringIO()
    try:
        figure.canvas.print_svg(figure.page, metadata=metadata)
        return figure.page.getvalue()
    finally:
        figure.page = None


class Still:
    """Takes the place of an artist's draw; remembers what it wrote."""

    def __init__(self, artist):
        self.artist = artist
        self.draw_plainly = artist.draw
        self.place = None  # limits and box of its axes
        self.family = []  # the artist and all within, as last drawn
        self.written = []  # (signs before, state after, text)
        artist.draw = self

    def __call__(self, renderer):
        page = getattr(self.artist.get_figure(root=True), "page", None)
        renderer_svg = getattr(renderer, "_renderer", None)
        if not isinstance(renderer_svg, RendererSVG) or not _is_ready(page):
            return self.draw_plainly(renderer)
        if self._is_touched():
            self.written.clear()
        before = _signs(renderer_svg)
        for signs, after, text in self.written:
            if signs == before:
                vars(renderer_svg).update(_copied(after))
                page.write(text)
                return
        start = page.tell()
        self.draw_plainly(renderer)
        self._remember(before, _copied(vars(renderer_svg)), page, start)

    def _is_touched(self):
        is_moved = self.place != _place(self.artist.axes)
        return is_moved or any(artist.stale for artist in self.family)

    def _remember(self, before, after, page, start):
        if not _is_ready(page):
            return
        self.place = _place(self.artist.axes)
        self.family = self.artist.findobj()
        for artist in self.family:
            artist.stale = False  # the invisible ones stay stale otherwise
        if len(self.written) == MAX_KEPT:
            self.written.clear()
        self.written.append((before, after, page.getvalue()[start:]))


def _is_ready(page):
    """Whether text can go onto the page: it is begun, no tag is open."""
    # A dry run before the drawing writes elsewhere: the page is empty yet.
    return bool(page and page.tell()) and page.getvalue().endswith("\n")


def _copied(state):
    """Return the numbers, names and tables of a renderer's attributes."""
    return {
        name: value.copy() if isinstance(value, dict) else value
        for name, value in state.items()
        if isinstance(value, dict | int | float | str)
    }


def _signs(renderer):
    """Return the same to compare: of a table its keys, and its counts."""
    return {
        name: [
            (key, item) if isinstance(item, int) else key
            for key, item in value.items()
        ]
        if isinstance(value, dict)
        else value
        for name, value in vars(renderer).items()
        if isinstance(value, dict | int | float | str)
    }


def _place(axes):
    return axes.get_xlim(), axes.get_ylim(), axes.bbox.bounds


def legend(axes, **options):
    """Add axes.legend(**options): an earlier one, if it would look alike.

    Laying out its words is the longest part of a small redraw.
    """
    look = _look_of_legend(axes, options)
    if look is None:
        axes.legend(**options)
        return
    if not hasattr(axes, "kept_legends"):
        axes.kept_legends = {}
    if look not in axes.kept_legends:
        if len(axes.kept_legends) == MAX_KEPT:
            axes.kept_legends.clear()
        axes.kept_legends[look] = axes.legend(**options)
        Still(axes.get_legend())
    axes.legend_ = axes.kept_legends[look]


def _look_of_legend(axes, options):
    """Return all that its picture hangs on, as text; None if unsure."""
    handles, labels = axes.get_legend_handles_labels()
    looks = [_look(handle) for handle in handles]
    is_plain = all(map(_is_plain, options.values()))
    is_placed = options.get("loc", "best") != "best"  # not by the data
    if None in looks or not is_plain or not is_placed:
        return None
    return repr((options, labels, looks))


_LOOKS = (
    "color", "linewidth", "linestyle", "alpha", "visible", "gapcolor",
    "dash_capstyle", "dash_joinstyle", "solid_capstyle", "solid_joinstyle",
    "marker", "markersize", "fillstyle", "markerfacecolor",
    "markerfacecoloralt", "markeredgecolor", "markeredgewidth",
)  # fmt: skip


def _look(handle):
    """Return what a legend copies from a line; None if unsure."""
    dashes = getattr(handle, "_dash_pattern", None)  # no getter tells them
    if type(handle) is not Line2D or not dashes:
        return None
    if handle.get_path_effects() or handle.get_sketch_params():
        return None
    looks = [getattr(handle, f"get_{name}")() for name in _LOOKS]
    return [dashes, *looks] if all(map(_is_plain, looks)) else None


def _is_plain(value):
    """Whether its repr tells all."""
    return value is None or isinstance(value, str | int | float | tuple)
