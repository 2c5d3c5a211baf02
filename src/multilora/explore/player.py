"""A player: frames of one draw, on one kept figure, the latest remembered."""

import time
from collections import OrderedDict

from multilora.figures.style import new_figure, render_svg

MAX_FRAMES_KEPT = 256


class Player:
    """Draws the frames of draw(fig, **stops); keeps the latest 256."""

    def __init__(self, draw):
        self.draw = draw
        self.figure = new_figure()
        self.kept = OrderedDict()
        self.seconds = 0.0  # what the last drawing took

    def frame(self, stops):
        """Return (SVG text, sentence) at these stops."""
        key = tuple(stops.items())
        if key not in self.kept:
            begun = time.perf_counter()
            self.kept[key] = render_svg(self.draw, stops, self.figure)
            self.seconds = time.perf_counter() - begun
            if len(self.kept) > MAX_FRAMES_KEPT:
                self.kept.popitem(last=False)
        return self.kept[key]


def frames(explorer):
    """Yield (stops, SVG text, sentence) for every combination of stops."""
    player = Player(explorer.draw)
    for stops in explorer.combinations():
        try:
            yield stops, *player.frame(stops)
        except Exception as error:
            error.add_note(f"drawn by {explorer.address} at {stops}")
            raise
