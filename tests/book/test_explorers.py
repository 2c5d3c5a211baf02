"""The notebooks' explorers: fresh, still while they move, in words."""

import html
import math
import re

from explored import EXPLORERS, each_explorer
from multilora.explore.explorer import Explorer
from multilora.explore.player import Player, frames
from multilora.explore.stops import LABELS
from multilora.figures.style import render_svg
from repository import LABS, ROOT


@each_explorer
def test_an_explorer_is_fresh_and_works_at_both_ends(explorer, page):
    """By its sentence; tests/book/test_stored.py compares pictures."""
    _, sentence = Player(explorer.draw).frame(explorer.start)
    (stored,) = re.findall(r' alt="([^"]*)"', page)
    assert html.unescape(stored) == sentence, (
        f"{explorer.address}: make notebooks, its sentence has changed"
    )
    for axis, stops in explorer.axes.items():
        ends = {name: [stop] for name, stop in explorer.start.items()}
        ends[axis] = sorted({stops[0], stops[-1]}, key=stops.index)
        drawn = list(frames(Explorer.of(explorer.draw, ends)))
        assert len({said for _, _, said in drawn}) == len(ends[axis])
        for stops, picture, said in drawn:
            # A kept figure redrawn is the figure drawn afresh.
            assert (picture, said) == render_svg(explorer.draw, stops)


@each_explorer
def test_axes_hold_still_while_sliders_move(explorer, page):
    player = Player(explorer.draw)
    limits = set()
    for axis, stops in explorer.axes.items():
        for stop in (stops[0], stops[-1]):
            player.frame(explorer.start | {axis: stop})
            limits.add(
                tuple(
                    (*axes.get_xlim(), *axes.get_ylim())
                    for axes in player.figure.axes
                )
            )
    assert len(limits) == 1


@each_explorer
def test_every_slider_has_words_of_its_own(explorer, page):
    assert set(explorer.axes) <= set(LABELS)


def test_the_readme_counts_the_frames():
    drawn = [
        math.prod(map(len, explorer.axes.values()))
        for _, explorer, _ in EXPLORERS
    ]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"{sum(drawn)} frames" in readme


def test_there_are_explorers_in_every_lab():
    assert len(EXPLORERS) >= 3 * len(LABS) == 12
