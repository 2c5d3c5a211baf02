"""The code that a cell of a notebook needs, in one piece."""

import ast
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from multilora.arguments import integer
from multilora.book.effects import effects
from multilora.book.scopes import FUNCTION, IMPORT

WIDTH = 79


class _Piece(NamedTuple):
    cell: int
    statement: ast.stmt
    text: str


def needed_code(cells: Sequence[str], number: int) -> str:
    """Return a cell's code, after the statements above it that it needs.

    cells are the sources of a notebook's code cells, number is one's place,
    from 0. Alone the code does what the cell does after all cells above it.
    What it needs is found by names: see effects. Of an import from a module
    only the needed names are left. Raises ValueError for a number beyond the
    cells, and for cells that are not Python.
    """
    last = len(cells) - 1
    number = integer("number", number, 0, last)
    pieces = [
        _Piece(place, statement, text)
        for place in range(number + 1)
        for statement, text in statements_of(cells[place], f"cells[{place}]")
    ]
    found = effects([piece.statement for piece in pieces])
    needed: set[str] = set()
    kept = []
    for piece, effect in zip(reversed(pieces), reversed(found), strict=True):
        if piece.cell < number and not effect.touches & needed:
            continue
        kept.append(piece._replace(text=_narrowed(piece, needed, number)))
        needed = (needed - effect.binds) | effect.reads
    above = [piece for piece in reversed(kept) if piece.cell < number]
    own = [piece for piece in pieces if piece.cell == number]
    text = cells[number].strip("\n")
    if not own:
        return text
    # In one piece, with its comments and empty lines.
    above.append(own[0]._replace(text=text))
    gaps = [_gap(one, two) for one, two in pairwise(above)] + [""]
    texts = (piece.text for piece in above)
    return "".join(text + gap for text, gap in zip(texts, gaps, strict=True))


def statements_of(
    source: str, name: str = "source"
) -> list[tuple[ast.stmt, str]]:
    """Return the statements of a source, each with its lines.

    Raises ValueError, with the source's name, for one that is not Python.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError) as error:  # a null byte is either
        raise ValueError(f"{name} is not Python: {error}") from None
    lines = source.split("\n")
    return [
        (one, "\n".join(lines[_first(one) - 1 : one.end_lineno]))
        for one in body
    ]


def _first(statement):
    """Return a statement's first line, that of its decorators if any."""
    decorators = getattr(statement, "decorator_list", [])
    return min(one.lineno for one in [statement, *decorators])


def _narrowed(piece, needed, number):
    """Return a piece's text: an import from a module for its needed names."""
    one = piece.statement
    if piece.cell == number or not isinstance(one, ast.ImportFrom):
        return piece.text
    names = [
        item for item in one.names if (item.asname or item.name) in needed
    ]
    if len(names) == len(one.names):
        return piece.text
    text = ast.unparse(ast.ImportFrom(one.module, names, one.level))
    return text if len(text) <= WIDTH else piece.text


def _gap(one, two):
    """Return what parts two pieces, as a formatter has it."""
    pair = one.statement, two.statement
    if any(isinstance(item, FUNCTION | ast.ClassDef) for item in pair):
        return "\n\n\n"
    are_imports = [isinstance(item, IMPORT) for item in pair]
    if all(are_imports) or (one.cell == two.cell and not any(are_imports)):
        return "\n"
    return "\n\n"
