"""A part of an answer, as a page shows it: sentences, a table, a picture."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from multilora.arguments import printable
from multilora.inpage.post import tell

MAX_LETTERS = 600  # of a sentence; a name of a reader's file may be long
MAX_CELL = 40  # of a name in a cell
# What a file of anybody's may cause in the functions that read it.
_FORESEEN = (ValueError, TypeError, OSError, RecursionError, ArithmeticError)


class Table(NamedTuple):
    """Names of columns, and rows of as many cells."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class Block(NamedTuple):
    """A part of the answer. numbers is the same for a script."""

    title: str
    text: list[str]
    table: Table | None = None
    svg: str | None = None
    code: str | None = None
    numbers: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the page takes, every text cleaned."""
        table = None
        if self.table is not None:
            table = {
                "head": list(self.table.head),
                "rows": [_cells(row) for row in self.table.rows],
            }
        return {
            "title": self.title,
            "text": [sentence(one) for one in self.text],
            "table": table,
            "svg": self.svg,
            "code": self.code,
            "numbers": self.numbers or {},
        }


def sentence(text: str) -> str:
    """Return a text that a page can show: printable, and not endless."""
    return _cut(" ".join(text.split()), MAX_LETTERS)


def cell(text: str) -> str:
    """Return a name for a cell of a table or for a label, cut."""
    return _cut(text, MAX_CELL)


def _cells(row: Sequence[str]) -> list[str]:
    """A row's cells: the first is a name, others may hold a sentence."""
    return [cell(row[0]), *(sentence(one) for one in row[1:])]


def _cut(text, room):
    short = text if len(text) <= room else text[: room - 1] + "…"
    return printable(short)


def progress(text: str, share: float | None = None) -> None:
    """Tell the page what is done now, and which share of it is done."""
    tell("progress", {"text": sentence(text), "share": share})


def told(title: str, make: Callable[[], Block]) -> Block:
    """Return the Block that make() gives, or one that says why there is none.

    Either is told to the page. So no part of an answer takes another down.
    """
    try:
        block = make()
    except _FORESEEN as error:
        block = Block(title, [_why(error)])
    except MemoryError:
        block = Block(title, [
            "This needs more memory than the browser gives this page."
        ])  # fmt: skip
    tell("block", block.as_json())
    return block


def _why(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "The file is nested too deep to be read."
    said = getattr(error, "strerror", None) or str(error)
    said = said or type(error).__name__
    return begun(said).rstrip(".") + "."


def begun(text: str) -> str:
    """Return a text as a sentence begins, unless a field or a file does."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return text[0].upper() + text[1:] if first.isalpha() else text


def listed(items: Sequence[str], most: int = 3) -> str:
    """Return names for a sentence: the first ones, and how many more."""
    shown = ", ".join(items[:most])
    more = len(items) - most
    return f"{shown} and {more:,} more" if more > 0 else shown
