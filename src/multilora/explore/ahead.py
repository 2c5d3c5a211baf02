"""Frames drawn ahead: what a reader may ask for next, while nobody waits."""

import asyncio

IDLE_S = 0.03  # a held key repeats about every 0.03 s: not idle yet
QUICK_S = 0.15  # a key may have to wait for one frame, so not for a slow one


class Ahead:
    """Draws expected frames of a player, one at a time, in idle moments.

    Only while its frames are quick, and not where no event loop runs, as
    outside a kernel.
    """

    def __init__(self, player):
        self.player = player
        self.waiting = []
        self.timer = None

    def expect(self, frames):
        """Draw these stops next, in this order, in place of older wishes."""
        self.waiting = list(frames)
        self._wait()

    def _wait(self):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self.timer:
            self.timer.cancel()
        self.timer = loop.call_later(IDLE_S, self._draw_one)

    def _draw_one(self):
        if not self.waiting or self.player.seconds > QUICK_S:
            return
        try:
            self.player.frame(self.waiting.pop(0))
        except Exception:
            # It will be raised where the reader sees it: when he asks.
            self.waiting.clear()
        # A kernel takes several turns of its loop to hear a key: no frame
        # may come between them.
        self._wait()


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
