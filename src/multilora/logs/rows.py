"""The rows of a log: CSV, TSV, JSON lines or one JSON array.

A row is a list of fields or a dict. Broken ones are counted and passed over.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from json import JSONDecodeError, JSONDecoder
from typing import Any

from multilora.logs.lines import MAX_LINE, Source
from multilora.logs.tally import Tally
from multilora.logs.times import read_time
from multilora.nested import check_depth

MAX_BLANK = 1_000  # lines before the first that is not
DELIMITERS = ",\t;|"
NOT_JSON = "no JSON"
NO_OBJECT = "no JSON object"
ESCAPED = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8
BETWEEN = re.compile(r"[\s,]*")
Line = tuple[int, str]
Row = tuple[int, Any]


def kind_of(source: Source) -> str:
    """Return "CSV", "JSON lines" or "JSON array", by how a file starts."""
    start = source.first.lstrip()[:1]
    return {"{": "JSON lines", "[": "JSON array"}.get(start, "CSV")


def object_rows(source: Source) -> Iterator[Row]:
    """Yield (line, object) of a log with one JSON object a line."""
    decode = JSONDecoder().decode
    tally = source.tally
    for line, text in source.lines():
        try:
            check_depth(text)
            row = decode(text)
        except (ValueError, RecursionError):
            if not text.isspace():
                tally.add(NOT_JSON, line)
            continue
        if type(row) is dict:
            yield line, row
        else:
            tally.add(NO_OBJECT, line)


def array_rows(source: Source) -> Iterator[Row]:
    """Yield (line, object) of a log that is one JSON array of objects.

    Where the array breaks off, or one item is longer than MAX_LINE, what
    follows is not read.
    """
    decode = JSONDecoder().raw_decode
    tally, chunks = source.tally, source.chunks()
    text, line, place = next(chunks), 1, 0
    is_new = True
    place = len(text) - len(text.lstrip()) + 1  # behind the bracket
    line += text.count("\n", 0, place)
    while True:
        start = BETWEEN.match(text, place).end()  # type: ignore[union-attr]
        line += text.count("\n", place, start)
        if text.startswith("]", start):
            return
        try:
            if is_new:
                check_depth(text[start:])
            is_new = False
            item, place = decode(text, start)
        except JSONDecodeError:
            size = len(text) - start
            more = "" if size > MAX_LINE else _next(chunks, size)
            if not more:
                tally.add("the JSON array is broken from here on", line)
                return
            text, place, is_new = text[start:] + more, 0, True
            continue
        except RecursionError:
            tally.add("the JSON array is broken from here on", line)
            return
        first = line
        line += text.count("\n", start, place)
        if type(item) is not dict:
            tally.add(NO_OBJECT, first)
        elif ESCAPED.search(text, start, place):
            tally.add("no UTF-8", first)
        else:
            yield first, item


def field_rows(source: Source) -> tuple[list[str], str, Iterator[Row]]:
    """Return (names, delimiter, rows) of a log whose first line names columns.

    rows yields (line, fields), as many as there are names. Raises ValueError
    for a first line that names none.
    """
    lines = source.lines()
    start = islice(lines, MAX_BLANK)
    head = next((item for item in start if not item[1].isspace()), None)
    if head is None:
        raise ValueError(f"{source.name}: it does not start with text")
    delimiter = max(DELIMITERS, key=head[1].count)
    rows = _csv_rows(chain([head], lines), delimiter, source.tally)
    names = [name.strip() for name in next(rows, (0, []))[1]]
    if not any(names) or any(read_time(name) for name in names):
        raise ValueError(
            f"{source.name}, line {head[0]}: it is {head[1][:60].strip()!r}, "
            "but must name the columns of a CSV file or be a JSON object"
        )
    return names, delimiter, _whole(rows, names, source.tally)


def _next(chunks, least):
    """Return so much text more that a long item is not read often."""
    more = []
    size = 0
    for chunk in chunks:
        more.append(chunk)
        size += len(chunk)
        if size >= least:
            break
    return "".join(more)


def _whole(rows, names, tally):
    num = len(names)
    for line, row in rows:
        if len(row) != num:
            if row:  # a blank line is no row
                tally.add(f"not {num} fields as in the first line", line)
        elif row[0] == names[0] and [f.strip() for f in row] == names:
            tally.add("the names of the columns again", line)
        else:
            yield line, row


def _csv_rows(lines: Iterator[Line], delimiter: str, tally: Tally):
    """Yield (line, fields). A quote that is never closed costs one line."""
    again: deque[Line] = deque()
    taken: list[Line] = []
    while True:
        reader = csv.reader(
            _fed(lines, taken, again), delimiter=delimiter, strict=True
        )
        try:
            for row in reader:
                yield taken[0][0], row
                taken.clear()
            return
        except csv.Error:
            line = taken[0][0]
            is_open = len(taken) > 1 or taken[0][1].count('"') % 2
            tally.add("a quote that is not closed" if is_open else "no CSV",
                      line)  # fmt: skip
            again.extendleft(reversed(taken[1:]))
            taken.clear()


def _fed(lines, taken, again):
    while True:
        item = again.popleft() if again else next(lines, None)
        if item is None:
            return
        taken.append(item)
        yield item[1]
