"""explore: one slider an axis over a draw function; show: one picture.

Both end in a picture and a sentence. In JupyterLab explore moves live; a
stored notebook holds the picture and the sentence of the starting stops,
with the draw function's address and its axes beside them, from which the
book draws a page whose sliders need no kernel.
"""

import base64
import html
from functools import partial

import ipywidgets as widgets
from IPython.display import display

from multilora.explore.ahead import Ahead, neighbours
from multilora.explore.explorer import Explorer, check_draw
from multilora.explore.player import Player
from multilora.explore.stops import label
from multilora.figures.style import render_svg
from multilora.units import value_text


def explore(draw, start=None, **axes):
    """Show draw(fig, **stops) under one slider for each axis.

    draw fills the figure and returns a sentence; for the book's pages it
    must be importable, not made in a cell. Each axis is a list of its stops,
    at least one; `start` maps an axis to the stop it opens at, the middle one
    by default.
    Raises TypeError for a draw that does not take these axes, ValueError
    for an empty axis or a start that is none of its stops.
    """
    explorer = Explorer.of(draw, axes, start)
    player = Player(draw)
    svg, sentence = player.frame(explorer.start)
    sliders = {
        axis: _slider(axis, stops, explorer.start[axis])
        for axis, stops in explorer.axes.items()
    }
    picture = widgets.HTML(_live(svg, sentence))

    ahead = Ahead(player)

    def move(axis, change):
        stops = {axis: slider.value for axis, slider in sliders.items()}
        picture.value = _live(*player.frame(stops))
        ahead.expect(neighbours(explorer, stops, axis, change.old))

    for axis, slider in sliders.items():
        slider.observe(partial(move, axis), names="value")
    box = widgets.VBox([*sliders.values(), picture])
    bundle = _stored(svg, sentence, explorer)
    bundle |= box._repr_mimebundle_()
    bundle["text/plain"] = sentence
    display(bundle, raw=True)


def show(draw, **values):
    """Show the picture and the sentence of draw(fig, **values).

    A value may be anything that draw takes, a table too.
    """
    check_draw(draw, values)
    svg, sentence = render_svg(draw, values)
    display(_stored(svg, sentence), raw=True)


def _slider(axis, stops, start):
    return widgets.SelectionSlider(
        options=[(value_text(axis, stop), stop) for stop in stops],
        value=start,
        description=label(axis),
        style={"description_width": "9rem"},
        layout={"width": "34rem", "max_width": "100%"},
    )


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


def _stored(svg, sentence, explorer=None):
    data = base64.b64encode(svg.encode()).decode()
    text = html.escape(sentence)
    attribute = axes = ""
    if explorer:
        attribute = f' data-explore="{html.escape(explorer.to_json())}"'
        ranges = "; ".join(
            f"{axis}: {', '.join(value_text('', stop) for stop in stops)}"
            for axis, stops in explorer.axes.items()
        )
        axes = f" <small>Sliders in JupyterLab: {html.escape(ranges)}.</small>"
    page = (
        f'<figure class="multilora"{attribute}>'
        f'<img src="data:image/svg+xml;base64,{data}" alt="{text}">'
        f"<figcaption>{text}{axes}</figcaption></figure>"
    )
    return {"text/html": page, "text/plain": sentence}
