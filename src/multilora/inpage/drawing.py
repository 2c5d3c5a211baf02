"""Small pictures as SVG text: bars, a line, dots with a limit.

matplotlib is too heavy for a page. Colours are CSS classes of the page, so
that light and dark both work; the letters are those of the page.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from multilora.inpage.blocks import cell

WIDTH = 360  # units of the view: 1 px each on a phone
LETTERS = 12  # px of a letter there
LEFT, RIGHT = 44, 12  # of the axes
ROW = 26  # a bar and the space below it


class Axis(NamedTuple):
    """An axis from low to high over pixels; is_log: equal ratios alike."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value, one beyond the ends at the end."""
        low, high, value = (
            (math.log10(max(v, 1e-9)) for v in (self.low, self.high, value))
            if self.is_log
            else (self.low, self.high, value)
        )
        share = (value - low) / (high - low) if high > low else 0.0
        return round(
            self.start + min(max(share, 0), 1) * (self.end - self.start), 1
        )


def svg(parts: Sequence[str], height: float, title: str) -> str:
    """Return a whole picture of these elements, its title read aloud."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {WIDTH} {height:g}" aria-label={_quoted(title)}>'
        f"<title>{_text(title)}</title>{''.join(parts)}</svg>"
    )


def words(
    x: float, y: float, text: str, anchor: str = "start", kind: str = ""
) -> str:
    """Return a text at a place; its letters end there for anchor "end"."""
    css = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{LETTERS}" '
        f'text-anchor="{anchor}"{css}>{_text(cell(text))}</text>'
    )


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle of a CSS class."""
    return (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" '
        f'width="{max(width, 0):.1f}" height="{height:g}"/>'
    )


def stroke(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line of a CSS class."""
    return (
        f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" '
        f'x2="{x2:g}" y2="{y2:g}"/>'
    )


def legend(names: Mapping[str, str], y: float) -> tuple[list[str], float]:
    """Return {words: CSS class} as boxes with names, and where they end.

    Names go in rows as the width allows.
    """
    parts, x = [], 0.0
    for name, kind in names.items():
        room = 18 + 0.58 * LETTERS * len(name) + 10
        if x and x + room > WIDTH:
            x, y = 0.0, y + 18
        parts += [box(x, y, 12, 12, kind), words(x + 17, y + 10.5, name)]
        x += room
    return parts, y + 20


def ticks(high: float, most: int = 4) -> list[float]:
    """Return round numbers from 0 up to high, no more than most + 1."""
    if high < 1e-9:
        return [0]
    step = 10.0 ** math.floor(math.log10(high / most))
    step *= next((k for k in (1, 2, 5) if k * step * most >= high), 10)
    return [step * k for k in range(int(high / step + 1e-9) + 1)]


def marks(low: float, high: float) -> list[int]:
    """Return 1, 2, 5, 10, … within low to high; of many the powers of ten."""
    powers = range(math.ceil(math.log10(max(high, 1))) + 1)
    found = [step * 10**power for power in powers for step in (1, 2, 5)]
    found = [mark for mark in found if low <= mark <= high]
    return found if len(found) <= 7 else [
        mark for mark in found if str(mark).startswith("1")
    ]  # fmt: skip


def _text(text: str) -> str:
    return escape(_legal(text))


def _quoted(text: str) -> str:
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c == " ")
