"""Workbenches for cells of a notebook: exercises to solve, cells to try."""

import ast
import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from multilora.arguments import choice
from multilora.book.benches import Bench
from multilora.book.notebooks import FOLDED
from multilora.book.slices import needed_code, statements_of
from multilora.exercises.checking import ENTRIES

TRIED = "try-it"  # a cell with this tag gets a fold with an editor
STUB = re.compile(r'^check_exercise\("(\w+)", \w+\)$', re.M)
BEGIN = re.compile(r"^from multilora.exercises import check_exercise", re.M)


class Cell(NamedTuple):
    """A cell of code: its place among all cells, and the heading above it."""

    place: int
    source: str
    tags: tuple[str, ...]
    heading: str


def code_cells(notebook: dict) -> list[Cell]:
    """Return the cells of code of a notebook's JSON, in its order."""
    found, heading = [], ""
    for place, cell in enumerate(notebook["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            tags = tuple(cell["metadata"].get("tags", ()))
            found.append(Cell(place, source, tags, heading))
            continue
        for line in re.findall(r"^#+ (.+)$", source, re.M):
            heading = line
    return found


def exercises(cells: Sequence[Cell]) -> dict[int, Bench]:
    """Return the Bench of each exercise, by the place of its stub.

    A stub is a cell that calls check_exercise and is not folded. Before it
    run its part's imports, and what cells above it in the exercise give names
    to without printing. Raises ValueError for a name of no exercise.
    """
    found, imports, given = {}, "", []
    for number, cell in enumerate(cells):
        if number and cell.heading != cells[number - 1].heading:
            given = []
        if FOLDED in cell.tags:  # a worked solution
            continue
        if BEGIN.search(cell.source):
            imports = cell.source
        elif call := STUB.search(cell.source):
            first = "\n".join([imports, *given])
            found[cell.place] = _exercise(call[1], cell.source, first)
        else:
            given += _quiet(cell.source)
    return found


def _exercise(name, source, first):
    entry = ENTRIES[choice("check_exercise's name", name, ENTRIES)]
    return Bench(
        f"exercise:{name}", "run", f"{name}.py",
        f"Your code for exercise {entry.number}", source, "", first,
        title=entry.title,
    )  # fmt: skip


def _quiet(source):
    """Return the statements that give names a value and print nothing."""
    return [
        text
        for statement, text in statements_of(source)
        if not isinstance(statement, ast.Expr)
        and not any(
            isinstance(node, ast.Name) and node.id == "print"
            for node in ast.walk(statement)
        )
    ]


def cells_to_try(page: str, cells: Sequence[Cell]) -> dict[int, Bench]:
    """Return the Bench of each cell with the tag try-it, by its place.

    Its code is whole: needed_code. What a reader typed is kept under a name
    that changes with the code, so that it never shows over another cell's.
    """
    sources = [cell.source for cell in cells]
    found = {}
    for number, cell in enumerate(cells):
        if TRIED in cell.tags:
            code = needed_code(sources, number)
            mark = hashlib.sha256(code.encode()).hexdigest()[:8]
            found[cell.place] = Bench(
                f"try:{page}:{mark}", "run", "try.py",
                f"Code to try: {cell.heading}", code, "",
            )  # fmt: skip
    return found
