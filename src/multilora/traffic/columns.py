"""A table in a user's file: every number checked, nothing unbounded read."""

import csv
import os
import stat
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilora.arguments import shown

MAX_BYTES = 256 * 2**20
MAX_ROWS = 10**7
MAX_LINE = 1_000  # bytes


class Column(NamedTuple):
    """What a column may hold: numbers from minimum to maximum."""

    name: str
    minimum: float
    maximum: float
    is_whole: bool = True
    is_sorted: bool = False

    @property
    def allowed(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        return f"{kind} from {self.minimum:,} to {self.maximum:,}"

    def number(self, text: str) -> float | None:
        """Return the number that a field holds, None if none is allowed."""
        if not text.isascii() or not text.isprintable() or "_" in text:
            return None
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            return None
        # NaN is in no range.
        return value if self.minimum <= value <= self.maximum else None

    def checked(self, where: str, text: str) -> float:
        """Return the number of a field, or raise ValueError naming where."""
        value = self.number(text)
        if value is None:
            raise ValueError(
                f"{where}: {self.name} is {shown(text)}, but must be "
                f"{self.allowed}"
            )
        return value


def read_columns(
    path: str | Path, columns: tuple[Column, ...]
) -> list[np.ndarray]:
    """Return the columns of a CSV file in UTF-8 whose first line names them.

    One int64 or float64 array a column. Raises as read_rows does, and
    ValueError for other columns, or a number that its column may not hold.
    """
    found = [array("q" if column.is_whole else "d") for column in columns]
    names = [column.name for column in columns]
    rows = read_rows(path)
    where, head = next(rows)
    if head != names:
        raise ValueError(
            f"{where} is {shown(','.join(head))}, but the columns must be "
            f"{','.join(names)}"
        )
    for where, row in rows:
        _add(where, row, columns, found)
    return [np.array(column) for column in found]


def read_rows(path: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (where it stands, fields) of each line of a CSV file in UTF-8.

    The first line names the columns; each line after it has as many fields.
    Raises TypeError for a path that is none; ValueError, with file, line and
    what is allowed, for a file that cannot be read, is over MAX_BYTES or
    MAX_ROWS, is cut off, or has no row.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path is {shown(path)}, but must be a path to a file")
    try:
        yield from _rows(str(path))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ValueError(f"path is {shown(str(path))}: {reason}") from None


def _rows(path):
    rows = csv.reader(_lines(path), strict=True)
    num_fields = 0
    try:
        for line, row in enumerate(rows, 1):
            where = f"path is {path}, line {line:,}"
            if line == 1:
                row = [name.strip() for name in row]
                num_fields = len(row)
            elif line - 1 > MAX_ROWS:
                raise ValueError(
                    f"{where} is one too many; at most {MAX_ROWS:,} rows are "
                    "read"
                )
            elif len(row) != num_fields:
                raise ValueError(
                    f"{where} has {len(row)} fields, but must have "
                    f"{num_fields}"
                )
            yield where, row
    except csv.Error as error:
        raise ValueError(
            f"path is {path}, line {rows.line_num:,}: {error}"
        ) from None
    if rows.line_num < 2:
        raise ValueError(f"path is {path}: it has no row below its first line")


def _add(where, row, columns, found):
    """Append the numbers of a row, or name the first that is wrong."""
    for column, text, numbers in zip(columns, row, found, strict=True):
        value = column.checked(where, text)
        if column.is_sorted and numbers and value < numbers[-1]:
            raise ValueError(
                f"{where}: {column.name} goes back from {numbers[-1]} to "
                f"{value}, but must be sorted"
            )
        numbers.append(value)


def _lines(path) -> Iterator[str]:
    """Yield the lines of a file, decoded, none of them long."""
    if "\0" in path:
        raise ValueError("path holds a null byte")
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait
        raise ValueError(f"path is {shown(path)}: it is no regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise ValueError(
                f"path is {path}: it has {size:,} bytes; at most "
                f"{MAX_BYTES:,} are read"
            )
        if not size:
            raise ValueError(f"path is {path}: the file is empty")
        line = 0
        while raw := file.readline(MAX_LINE + 1):
            line += 1
            yield _decoded(raw, f"path is {path}, line {line:,}", line == 1)


def _decoded(raw, where, is_first):
    if is_first and raw.startswith(b"\x1f\x8b"):
        raise ValueError(f"{where}: the file is gzipped; unpack it first")
    if len(raw) > MAX_LINE:
        raise ValueError(f"{where} is longer than {MAX_LINE:,} bytes")
    try:
        text = raw.decode("utf-8-sig" if is_first else "utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{where} is {shown(raw)}, not UTF-8") from None
    if not text.endswith("\n"):
        raise ValueError(
            f"{where} is {shown(text)} and has no line break: the file is "
            "cut off, or lacks its last one"
        )
    return text
