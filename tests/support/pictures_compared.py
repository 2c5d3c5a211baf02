"""Where two pictures differ, in one line and not in twenty of base64."""

from itertools import zip_longest

WIDTH = 60  # characters of a line that are shown


def first_difference(stored, drawn):
    """Return the first line in which two SVG texts differ; "" if in none."""
    pairs = zip_longest(stored.splitlines(), drawn.splitlines(), fillvalue="")
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            place = _common(old, new)
            return (
                f"line {number}, column {place + 1}:\n"
                f"  stored {_around(old, place)}\n"
                f"  drawn  {_around(new, place)}"
            )
    return ""


def _common(old, new):
    """The number of characters with which both begin."""
    for place, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return place
    return min(len(old), len(new))


def _around(line, place):
    start = max(0, place - WIDTH // 2)
    return repr(line[start : start + WIDTH])
