"""One answer, for a person or for a script."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from multilora.arguments import printable

PAGE_WIDTH = 78  # letters of a line in a notebook's cell


class _Stdout(Console):
    """A Console that leaves `… | head` to command(), which ends with 0."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Return the Console of stdout: plain text where it is no terminal.

    A notebook's cell is none, whatever its kernel says: 78 letters of plain
    text, which a page can store.
    """
    if type(sys.stdout).__module__.partition(".")[0] == "ipykernel":
        return _Stdout(file=sys.stdout, highlight=False, width=PAGE_WIDTH,
                       force_jupyter=False, force_terminal=False)  # fmt: skip
    return _Stdout(file=sys.stdout, highlight=False, force_jupyter=False)


def print_json(answer: Any) -> None:
    """Print what a script reads: one JSON object, numbers as numbers."""
    print(json.dumps(answer, indent=1, allow_nan=False))


def plain(text: str, is_markup: bool = True) -> str:
    """Return text that a terminal shows as it is: names come from files.

    What moves a cursor or is no letter is written out; where the text is
    printed as rich's markup, brackets lose their meaning.
    """
    shown = printable(text)
    return escape(shown) if is_markup else shown


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = ""
) -> Table:
    """Return a Table; columns after the first are right-aligned numbers."""
    drawn = Table(
        title=title or None, box=None, title_justify="left", title_style=""
    )
    for place, name in enumerate(columns):
        justify = "right" if place else "left"
        drawn.add_column(name, justify=justify, overflow="fold")
    for row in rows:
        drawn.add_row(*(str(item) for item in row))
    return drawn
