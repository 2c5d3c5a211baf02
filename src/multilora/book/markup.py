"""An explorer as HTML: sliders, the starting picture, its sentence."""

import html
import json

from multilora.explore.stops import label
from multilora.figures.style import SIZE
from multilora.units import value_text

POINTS = 72  # to an inch; the unit of a matplotlib SVG


def figure(explorer, frames, folder, name=None):
    """Return the markup of an explorer whose pictures lie in folder.

    frames holds [picture's name, sentence] in the order of
    explorer.combinations(); name tells it from others of its page, and is
    the draw function's by default. Without JavaScript the sliders stay
    hidden, and the starting picture and its sentence stand.
    """
    name = name or explorer.name
    picture, sentence = frames[place(explorer, explorer.start)]
    width, height = (round(side * POINTS) for side in SIZE)
    said = html.escape(sentence)
    room = html.escape(max((text for _, text in frames), key=len))
    sliders = "".join(
        _slider(explorer, f"{name}-{number}", axis)
        for number, axis in enumerate(explorer.axes)
    )
    return (
        f'<figure class="multilora" id="explore-{name}"'
        f' data-folder="{folder}">\n'
        f'<div class="stops" role="group" aria-label="Sliders: '
        f'{name}" hidden>{sliders}</div>\n'
        f'<img class="dark-light" src="{folder}/{picture}" alt="{said}"'
        f' width="{width}" height="{height}">\n'
        f'<figcaption><span class="said" aria-live="polite">{said}</span>'
        f'<span class="room" aria-hidden="true">{room}</span></figcaption>\n'
        f'<script type="application/json">{_data(explorer, frames)}</script>'
        "</figure>"
    )


def place(explorer, stops):
    """Return the number of these stops among all combinations."""
    index = 0
    for axis, axis_stops in explorer.axes.items():
        index = index * len(axis_stops) + axis_stops.index(stops[axis])
    return index


def _slider(explorer, name, axis):
    stops = explorer.axes[axis]
    at = stops.index(explorer.start[axis])
    said = html.escape(value_text(axis, stops[at]))
    shown = html.escape(label(axis))
    return (
        f'<div class="stop"><label for="stop-{name}">{shown}</label>'
        f'<input type="range" id="stop-{name}" name="{axis}" min="0"'
        f' max="{len(stops) - 1}" step="1" value="{at}"'
        f' aria-valuetext="{said}" autocomplete="off">'
        f'<span class="value" aria-hidden="true">{said}</span></div>'
    )


def _data(explorer, frames):
    """What explorer.js needs, as JSON that cannot end its script element."""
    table = {
        "stops": list(explorer.axes.values()),
        "values": [
            [value_text(axis, stop) for stop in stops]
            for axis, stops in explorer.axes.items()
        ],
        "frames": frames,
    }
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
