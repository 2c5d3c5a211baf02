"""Frames drawn ahead: what a reader may ask for next, while nobody waits."""

import asyncio

IDLE_S = 0.03  # a held key repeats about every 0.03 s: not idle yet


class Ahead:
    """Draws expected frames of a player, one at a time, in idle moments.

    Where no event loop runs, as outside a kernel, it does nothing.
    """

    def __init__(self, player):
        self.player = player
        self.waiting = []
        self.timer = None

    def expect(self, frames):
        """Draw these stops next, in this order, in place of older wishes."""
        self.waiting = list(frames)
        self._wait(IDLE_S)

    def _wait(self, seconds):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self.timer:
            self.timer.cancel()
        self.timer = loop.call_later(seconds, self._draw_one)

    def _draw_one(self):
        if not self.waiting:
            return
        try:
            self.player.frame(self.waiting.pop(0))
        except Exception:
            # It will be raised where the reader sees it: when he asks.
            self.waiting.clear()
        self._wait(0)  # between two frames a key is heard


def neighbours(explorer, stops, axis, previous):
    """Return the frames next to these stops, the likeliest first.

    First the one further on along the axis that moved, away from the
    previous stop; then what another slider would show.
    """
    found = []
    for name in (axis, *(other for other in explorer.axes if other != axis)):
        row = explorer.axes[name]
        at = row.index(stops[name])
        steps = [1, -1]
        if name == axis and row.index(previous) > at:
            steps = [-1, 1]
        found += [
            stops | {name: row[at + step]}
            for step in steps
            if 0 <= at + step < len(row)
        ]
    return found
