"""A log as a table: what its columns are, and its rows one by one."""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from multilora.logs.columns import (
    Columns,
    field_picker,
    find_columns,
    listed,
    object_picker,
    paths,
)
from multilora.logs.lines import Source
from multilora.logs.names import known_format
from multilora.logs.rows import (
    Row,
    array_rows,
    field_rows,
    kind_of,
    object_rows,
)

NUM_LOOKED_AT = 100  # objects in which columns are looked for


class Table(NamedTuple):
    """A log whose rows were not read yet.

    kind is the form of the file, names all its columns, columns those that
    are taken. pick takes a row and returns its time, tenant, prompt tokens
    and output tokens as they stand there.
    """

    kind: str
    names: list[str]
    columns: Columns
    rows: Iterator[Row]
    pick: Callable

    @property
    def format(self) -> str:
        """The name of a known format and the form of the file."""
        name = known_format(self.names)[0]
        return f"{name} ({self.kind})" if name else self.kind


def open_table(source: Source, asked: Columns) -> Table:
    """Return the Table of a Source, with the columns asked for or known.

    Raises ValueError for a file without names of columns, without one whole
    JSON object, or as find_columns does.
    """
    kind = kind_of(source)
    if kind == "CSV":
        names, delimiter, rows = field_rows(source)
        kind = "TSV" if delimiter == "\t" else kind
        columns = _found(source, names, asked)
        return Table(kind, names, columns, rows, field_picker(names, columns))
    rows = (object_rows if kind == "JSON lines" else array_rows)(source)
    first = list(islice(rows, NUM_LOOKED_AT))
    if not first:
        raise ValueError(
            f"{source.name}: it holds no whole JSON object. Skipped: "
            f"{source.tally}. Write one object a line: jq -c . does it"
        )
    known: dict[str, tuple[str, ...]] = {}
    for _, row in first:
        known |= paths(row)
    columns = _found(source, list(known), asked)
    pick = object_picker(known, columns)
    return Table(kind, list(known), columns, chain(first, rows), pick)


def require_tokens(
    source: Source, table: Table, defaults: tuple[int | None, int | None]
) -> None:
    """Raise ValueError if a kind of tokens has no column and no default."""
    words = ("prompt", "output")
    for name, default, word in zip(
        table.columns[2:], defaults, words, strict=True
    ):
        if name is None and default is None:
            raise ValueError(
                f"{source.name}: it has no known column of {word} tokens, "
                f"but {listed(table.names)}: name one with --{word}-column, "
                "or say how many each request has with "
                f"--{word}-tokens"
            )


def _found(source, names, asked):
    try:
        return find_columns(names, asked)
    except ValueError as error:
        raise ValueError(f"{source.name}: {error}") from None
