"""Which column of a log holds what, and how to take it from a row."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from multilora.arguments import shown, text
from multilora.logs.names import KNOWN, MAX_DEPTH, by_ending, plain

MAX_NAMED = 20  # columns in an error


class Columns(NamedTuple):
    """The names of a log's columns; None for one to be found, or not there."""

    time: str | None = None
    tenant: str | None = None
    prompt: str | None = None
    output: str | None = None


OPTIONS = Columns(
    "--time-column", "--tenant-column", "--prompt-column", "--output-column"
)


def paths(row: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return {name with dots: keys} of all fields within a JSON object."""
    found: dict[str, tuple[str, ...]] = {}
    inner: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), row)]
    for keys, table in inner:
        for key, value in table.items():
            path = (*keys, key)
            found[".".join(path)] = path
            if type(value) is dict and len(path) < MAX_DEPTH:
                inner.append((path, value))
    return found


def check_columns(columns: Columns | None) -> Columns:
    """Return Columns of names or None, or raise TypeError."""
    columns = Columns() if columns is None else columns
    if not isinstance(columns, Columns):
        raise TypeError(
            f"columns is {shown(columns)}, but must be Columns of names"
        )
    for field, name in columns._asdict().items():
        if name is not None:
            text(f"{field} of columns", name)
    return columns


def find_columns(names: Iterable[str], asked: Columns) -> Columns:
    """Return the Columns among names: those asked for, or those known.

    Raises ValueError for one that was asked for and is not there, for no
    column of times, and for one column that is to be two things.
    """
    names = list(names)
    known = by_ending(names)
    found = Columns._make(
        next((known[word] for word in of if word in known), None)
        if name is None
        else _named(names, name, option)
        for name, option, of in zip(asked, OPTIONS, KNOWN, strict=True)
    )
    if found.time is None:
        raise ValueError(
            "none of its columns is known to hold times; it has "
            f"{listed(names)}: name one with --time-column"
        )
    given = [name for name in found if name is not None]
    if len(set(given)) < len(given):
        raise ValueError(
            f"columns are {', '.join(given)}, but each must be another column"
        )
    return found


def listed(names: Iterable[str]) -> str:
    """Return the names of columns for a sentence, not too many of them."""
    names = list(names)
    if not names:
        return "none"
    more = len(names) - MAX_NAMED
    return ", ".join(shown(name) for name in names[:MAX_NAMED]) + (
        f" and {more} more" if more > 0 else ""
    )


def field_picker(names: list[str], columns: Columns) -> Callable:
    """Return a function from the fields of a CSV row to those four."""
    # One more field, always empty, stands for a column that is not there.
    places = [len(names) if n is None else names.index(n) for n in columns]
    if None not in columns:
        return itemgetter(*places)
    pick = itemgetter(*places)
    return lambda row: pick([*row, ""])


def object_picker(
    known: dict[str, tuple[str, ...]], columns: Columns
) -> Callable:
    """Return a function from a JSON object to its four fields."""
    of = [() if name is None else known[name] for name in columns]
    if all(len(path) == 1 for path in of):
        a, b, c, d = (path[0] for path in of)
        return lambda row: (row.get(a), row.get(b), row.get(c), row.get(d))
    return lambda row: [_within(row, path) for path in of]


def _within(row, path):
    if not path:
        return None
    for key in path:
        if type(row) is not dict:
            return None
        row = row.get(key)
    return row


def _named(names, name, option):
    if name in names:
        return name
    alike = [known for known in names if plain(known) == plain(name)]
    if len(alike) != 1:
        raise ValueError(
            f"columns names {shown(name)} ({option}), but the log has "
            f"{listed(names)}"
        )
    return alike[0]
