"""One answer, for a person or for a script."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


class _Stdout(Console):
    """A Console that leaves `… | head` to command(), which ends with 0."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Return the Console of stdout: plain text where it is no terminal."""
    return _Stdout(file=sys.stdout, highlight=False)


def print_json(answer: Any) -> None:
    """Print what a script reads: one JSON object, numbers as numbers."""
    print(json.dumps(answer, indent=1, allow_nan=False))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = ""
) -> Table:
    """Return a Table; columns after the first are right-aligned numbers."""
    drawn = Table(title=title or None, box=None, title_justify="left")
    for place, name in enumerate(columns):
        drawn.add_column(name, justify="right" if place else "left")
    for row in rows:
        drawn.add_row(*(str(item) for item in row))
    return drawn
