"""A picture of the library: rooms as floors, and their imports as dots."""

from multilora.figures import style
from multilora.figures.boxes import counted

ROW, COLUMN = 17.0, 10.2  # points from floor to floor, column to column
NAMES, HEADS = 64.0, 60.0  # points for the names beside and above the grid
MARGIN = 3.0
FONT_SIZE = 9.6
DOT = 5.0


def floors_size(num_rooms):
    """Return (width, height) in inches of a picture of so many rooms.

    With 20 rooms it is about as wide as a page on a phone, so that its
    letters are shown there as large as they are drawn.
    """
    width = NAMES + num_rooms * COLUMN + 2 * MARGIN
    return width / 72, (HEADS + num_rooms * ROW + 2 * MARGIN) / 72


def draw_floors(fig, rooms, uses):
    """Draw each room as a floor, and a dot for each room that it uses.

    rooms are names, the top floor first; uses is {room: the rooms that it
    imports from}. A dot right of the steps is an import that points down;
    one that points up lies left of them, and is drawn as a cross.
    """
    size = floors_size(len(rooms))
    fig.set_size_inches(size)
    (axes,) = style.panels(fig, {
        "xlim": (-NAMES - MARGIN, len(rooms) * COLUMN + MARGIN),
        "ylim": (len(rooms) * ROW + MARGIN, -HEADS - MARGIN),
        "xticks": [], "yticks": [], "frame_on": False, "grid": None,
        "position": (0, 0, 1, 1),
    })  # fmt: skip
    place = {room: number for number, room in enumerate(rooms)}
    for room, number in place.items():
        _floor(axes, room, number, len(rooms))
    used = [
        (room, other)
        for room in rooms
        for other in rooms
        if other in uses.get(room, ())
    ]
    up = [pair for pair in used if place[pair[0]] > place[pair[1]]]
    down = [pair for pair in used if pair not in up]
    for pairs, color, mark in ((down, style.WEIGHTS, "o"),
                               (up, style.MISS, "X")):  # fmt: skip
        x = [(place[other] + 0.5) * COLUMN for _, other in pairs]
        y = [(place[room] + 0.5) * ROW for room, _ in pairs]
        axes.plot(x, y, mark, color=color, ms=DOT if mark == "o" else 8)
    return _sentence(rooms, down, up)


def _floor(axes, room, number, num_rooms):
    """Draw a room's floor with its name, and its column with its name."""
    top, middle = number * ROW, (number + 0.5) * ROW
    left, right = number * COLUMN, num_rooms * COLUMN
    axes.plot([-NAMES, right], [top + ROW] * 2, color=style.PALE, lw=0.5)
    axes.plot([left + COLUMN / 2] * 2, [-3, top], color=style.PALE, lw=0.5)
    # The step on which the floor's own column ends.
    axes.fill_between([left, left + COLUMN], top, top + ROW, lw=0,
                      color=style.PALE)  # fmt: skip
    axes.text(-6, middle, room, ha="right", va="center", fontsize=FONT_SIZE,
              fontweight="bold")  # fmt: skip
    axes.text(left + COLUMN / 2, -6, room, ha="center", va="bottom",
              rotation=90, fontsize=FONT_SIZE)  # fmt: skip


def _sentence(rooms, down, up):
    text = (
        f"{counted(len(rooms), 'floor')}, from {rooms[0]} down to "
        f"{rooms[-1]}. A dot says that the room of its row imports from the "
        "room of its column. "
    )
    if up:
        named = ", ".join(f"{room} from {other}" for room, other in up)
        return f"{text}A cross points up, against the rule: {named}."
    return (
        f"{text}All {counted(len(down), 'dot')} lie right of the steps: no "
        "room imports from a floor above it."
    )
