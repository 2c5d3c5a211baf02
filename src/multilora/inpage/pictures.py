"""The pictures of a case: memory as bars, hits as a line, tenants as dots."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from multilora.inpage.drawing import (
    LEFT,
    LETTERS,
    RIGHT,
    ROW,
    WIDTH,
    Axis,
    box,
    legend,
    marks,
    stroke,
    svg,
    ticks,
    words,
)

HEIGHT = 190  # of a picture with two axes
MOST_POINTS = 240  # of a line; more would lie on each other
MOST_DOTS = 400
ROOM = 1.25  # times below the lowest of them and above the highest
# The parts of a GPU's memory, by their CSS classes.
KINDS = {
    "base weights": "weights",
    "slots": "slots",
    "overhead": "overhead",
    "overhead or KV": "open",
    "KV": "kv",
    "not used by vLLM": "free",
}


def memory_bars(
    rows: Mapping[str, Mapping[str, float]], card_gib: float, title: str
) -> str:
    """Return {label: {part of KINDS: GiB}} as a stacked bar for each row.

    card_gib is where the axis ends, unless a bar is longer.
    """
    used = {part for row in rows.values() for part, gib in row.items() if gib}
    parts, top = legend({p: KINDS[p] for p in KINDS if p in used}, 0)
    longest = max(sum(row.values()) for row in rows.values())
    left = 10 + 0.58 * LETTERS * max(len(label) for label in rows)
    across = Axis(0, max(card_gib, longest), left, WIDTH - RIGHT)
    end = top + ROW * len(rows)
    for at, (label, row) in enumerate(rows.items()):
        y, start = top + ROW * at, 0.0
        parts.append(words(left - 6, y + 15, label, "end"))
        for part, kind in KINDS.items():
            stop = start + row.get(part, 0)
            x = across.at(start)
            if stop > start:
                parts.append(box(x, y, across.at(stop) - x, 20, kind))
            start = stop
    for gib in ticks(across.high):
        parts.append(words(across.at(gib), end + 14, f"{gib:g}", "middle"))
    if longest > card_gib:
        x = across.at(card_gib)
        parts.append(stroke(x, top - 3, x, end, "limit"))
    parts.append(words(WIDTH - RIGHT, end + 30, "GiB of one GPU", "end"))
    return svg(parts, end + 36, title)


def hit_line(shares: Sequence[float], marked: int, title: str) -> str:
    """Return hits (0 to 1) over 1, 2, … slots as a line.

    marked is the number of slots that a dot and a dashed line point at.
    """
    num = len(shares)
    across = Axis(min(1, num - 1), num, LEFT, WIDTH - RIGHT)
    down = Axis(0, 1, HEIGHT, 12)
    step = max(1, num // MOST_POINTS)
    places = sorted({*range(1, num + 1, step), marked, num})
    parts = _shares_axis(down)
    for slots in sorted({1, num, *(int(t) for t in ticks(num) if t >= 1)}):
        if slots in (1, num) or 0.1 < slots / num < 0.92:
            parts.append(
                words(across.at(slots), HEIGHT + 16, f"{slots:,}", "middle")
            )
    points = " ".join(
        f"{across.at(n):g},{down.at(shares[n - 1]):g}" for n in places
    )
    x, y = across.at(marked), down.at(shares[marked - 1])
    parts += [
        stroke(x, y, x, HEIGHT, "limit"),
        f'<polyline class="hits" points="{points}"/>',
        f'<circle class="mark" cx="{x:g}" cy="{y:g}" r="4.5"/>',
        words(WIDTH - RIGHT, HEIGHT + 32, "slots (max_loras)", "end"),
    ]
    return svg(parts, HEIGHT + 38, title)


def _shares_axis(down: Axis) -> list[str]:
    parts = []
    for percent in (0, 25, 50, 75, 100):
        y = down.at(percent / 100)
        parts += [
            stroke(LEFT, y, WIDTH - RIGHT, y, "grid"),
            words(LEFT - 6, y + 4, f"{percent} %", "end"),
        ]
    return parts


class Dot(NamedTuple):
    """A tenant's p99 in ms, and whether it is within the promise."""

    p99_ms: float
    is_met: bool


def promise_dots(dots: Sequence[Dot], limit_ms: float, title: str) -> str:
    """Return tenants' p99, in the order given, with the promise as a line.

    The axis of ms is logarithmic. Of many tenants as many are drawn, evenly
    chosen, as a picture can hold.
    """
    legend_parts, top = legend(
        {"p99 within the promise": "met", "p99 above": "late"}, 0
    )
    step = -(-len(dots) // MOST_DOTS)
    drawn = dots[::step]
    every = [max(ms, 1.0) for ms in (limit_ms, *(dot.p99_ms for dot in drawn))]
    low, high = min(every) / ROOM, max(every) * ROOM
    bottom = top + HEIGHT - 20
    down = Axis(low, high, bottom, top + 8, is_log=True)
    across = Axis(0, len(dots) + 1, LEFT + 16, WIDTH - RIGHT)
    parts = list(legend_parts)
    for ms in marks(low, high):
        y = down.at(ms)
        parts += [
            stroke(LEFT + 16, y, WIDTH - RIGHT, y, "grid"),
            words(LEFT + 10, y + 4, f"{ms:,}", "end"),
        ]
    y = down.at(limit_ms)
    parts += [
        stroke(LEFT + 16, y, WIDTH - RIGHT, y, "limit"),
        words(WIDTH - RIGHT, y - 5, f"promise, {limit_ms:,.0f} ms", "end"),
    ]
    parts += [
        _dot(across.at(at * step + 1), down.at(dot.p99_ms), dot.is_met)
        for at, dot in enumerate(drawn)
    ]
    parts += [
        words(0, bottom + 30, "p99 of TTFT, ms"),
        words(WIDTH - RIGHT, bottom + 30, "tenants, highest p99 first", "end"),
    ]
    return svg(parts, bottom + 36, title)


def _dot(x: float, y: float, is_met: bool) -> str:
    if is_met:
        return f'<circle class="met" cx="{x:g}" cy="{y:g}" r="3.2"/>'
    # Another form as well: colour alone says nothing to some.
    return f'<path class="late" d="M{x - 4:g} {y:g}l4 -4 4 4 -4 4z"/>'
