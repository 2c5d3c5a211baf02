"""explore: one slider an axis over a draw function; show: one picture.

Both end in a picture and a sentence. In JupyterLab explore moves live; a
stored notebook and the rendered book hold the picture and the sentence of
the starting stops, with the draw function's address and its axes beside
them, so that a page can be drawn at every stop without a kernel.
"""

import base64
import html
import inspect
import itertools
import json
from collections import OrderedDict

import ipywidgets as widgets
from IPython.display import display

from multilora.arguments import items, shown
from multilora.figures.style import new_figure, render_svg

MAX_FRAMES_KEPT = 256


def explore(draw, start=None, **axes):
    """Show draw(fig, **stops) under one slider for each axis.

    draw is importable (not made in a cell), fills the figure and returns a
    sentence. Each axis is a list of its stops, at least one; `start` maps
    an axis to the stop it opens at, the middle one by default.
    Raises TypeError for a draw that does not take these axes, ValueError
    for an empty axis or a start that is none of its stops.
    """
    axes = _check_axes(draw, axes)
    stops = _check_start(axes, {} if start is None else start)
    player = _Player(draw)
    svg, sentence = player.frame(stops)
    sliders = {
        name: widgets.SelectionSlider(
            options=[(_text(stop), stop) for stop in axis],
            value=stops[name],
            description=name,
            style={"description_width": "8rem"},
            layout={"width": "30rem", "max_width": "100%"},
        )
        for name, axis in axes.items()
    }
    picture = widgets.HTML(_live(svg, sentence))

    def move(_):
        values = {name: slider.value for name, slider in sliders.items()}
        picture.value = _live(*player.frame(values))

    for slider in sliders.values():
        slider.observe(move, names="value")
    box = widgets.VBox([*sliders.values(), picture])
    spec = {"draw": _address(draw), "axes": axes, "start": stops}
    bundle = _stored(svg, sentence, spec)
    bundle |= box._repr_mimebundle_()
    bundle["text/plain"] = sentence
    display(bundle, raw=True)


def show(draw, **values):
    """Show the picture and the sentence of draw(fig, **values).

    A value may be anything that draw takes, a table too.
    """
    _check_draw(draw, values)
    svg, sentence = render_svg(draw, values)
    display(_stored(svg, sentence), raw=True)


def frames(draw, **axes):
    """Yield (stops, svg, sentence) for every combination of stops."""
    axes = _check_axes(draw, axes)
    player = _Player(draw)
    for combination in itertools.product(*axes.values()):
        stops = dict(zip(axes, combination, strict=True))
        yield stops, *player.frame(stops)


class _Player:
    """Draws frames on one kept figure and remembers the latest ones."""

    def __init__(self, draw):
        self.draw = draw
        self.figure = new_figure()
        self.kept = OrderedDict()

    def frame(self, stops):
        key = tuple(stops.values())
        if key not in self.kept:
            self.kept[key] = render_svg(self.draw, stops, self.figure)
            if len(self.kept) > MAX_FRAMES_KEPT:
                self.kept.popitem(last=False)
        return self.kept[key]


def _check_draw(draw, values):
    if not callable(draw):
        raise TypeError(
            f"draw is {shown(draw)}, but must be a function that takes a "
            "figure and one argument for each axis"
        )
    try:
        inspect.signature(draw).bind(None, **values)
    except TypeError as error:
        raise TypeError(
            f"draw is {_address(draw)}, which does not fit the axes "
            f"{', '.join(values) or '(none)'}: {error}"
        ) from None


def _check_axes(draw, axes):
    _check_draw(draw, axes)
    checked = {}
    for name, axis in axes.items():
        stops = [_plain(stop) for stop in items(name, axis, object)]
        if not stops:
            raise ValueError(f"{name} is empty, but must hold a stop")
        if any(not isinstance(stop, str | int | float) for stop in stops):
            raise TypeError(
                f"{name} holds {shown(stops)}, but stops must be "
                "numbers or text"
            )
        if len(set(stops)) < len(stops):
            raise ValueError(
                f"{name} is {shown(stops)}, but holds a stop twice"
            )
        checked[name] = stops
    return checked


def _check_start(axes, start):
    if not isinstance(start, dict):
        raise TypeError(
            f"start is {shown(start)}, but must be a dict that "
            "maps an axis to its opening stop"
        )
    for name, stop in start.items():
        if name not in axes or stop not in axes[name]:
            raise ValueError(
                f"start has {name} = {shown(stop)}, "
                f"but the stops are {shown(axes.get(name, list(axes)))}"
            )
    middle = {name: axis[len(axis) // 2] for name, axis in axes.items()}
    return middle | start


def _plain(stop):
    """A numpy scalar as the Python value that JSON can hold."""
    return stop.item() if hasattr(stop, "item") else stop


def _text(stop):
    return f"{stop:,}" if isinstance(stop, int) else str(stop)


def _address(draw):
    return f"{draw.__module__}:{draw.__qualname__}"


# JupyterLab and Colab say in these attributes that their theme is dark.
_DARK = """<style>
body[data-jp-theme-light="false"] figure.multilora svg,
html[theme="dark"] figure.multilora svg {
  filter: invert(1) hue-rotate(180deg) brightness(1.25);
}
</style>"""


def _live(svg, sentence):
    return (
        f'{_DARK}<figure class="multilora" style="margin: 0.5rem 0">{svg}'
        f"<figcaption>{html.escape(sentence)}</figcaption></figure>"
    )


def _stored(svg, sentence, spec=None):
    data = base64.b64encode(svg.encode()).decode()
    text = html.escape(sentence)
    attribute = axes = ""
    if spec:
        attribute = f' data-explore="{html.escape(json.dumps(spec))}"'
        ranges = "; ".join(
            f"{name}: {', '.join(map(_text, stops))}"
            for name, stops in spec["axes"].items()
        )
        axes = f" <small>Sliders in JupyterLab: {html.escape(ranges)}.</small>"
    page = (
        f'<figure class="multilora"{attribute}>'
        f'<img src="data:image/svg+xml;base64,{data}" alt="{text}">'
        f"<figcaption>{text}{axes}</figcaption></figure>"
    )
    return {"text/html": page, "text/plain": sentence}
