"""What a statement of a notebook gives a value, reads, and may change.

By names alone: nothing runs, and what is unsure counts as read, or as
changed. An imported function is taken to leave its arguments as they are, as
those of this book's library do, and to return objects of its own.
"""

import ast
import builtins
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from multilora.book.scopes import (
    FUNCTION,
    IMPORT,
    bound_by,
    own_names,
    read_by,
    roots,
    stored_by,
)

# Methods of numpy, str, list and dict that leave their object as it is.
QUIET = frozenset(
    """
    all any argmax argmin astype copy count cumsum endswith format get index
    items join keys max mean min nonzero partition replace reshape round split
    startswith std strip sum take tolist transpose upper lower values
    """.split()
)


class Effects(NamedTuple):
    """What a statement does to names.

    binds are those that surely get a value; touches these, those that may get
    one and those whose objects may change.
    """

    binds: frozenset[str]
    touches: frozenset[str]
    reads: frozenset[str]


def effects(program: list[ast.stmt]) -> list[Effects]:
    """Return the Effects of each statement of a program, in its order.

    What a function of the program reads and changes counts where it is named.
    """
    imports = [one for one in program if isinstance(one, IMPORT)]
    imported = {name for one in imports for name in bound_by(one)}
    given = _given(program)
    twins = _twins(given, imported)
    harmless = imported | set(dir(builtins)) | _other_names(given, imported)
    functions = {one.name: one for one in program if isinstance(one, FUNCTION)}
    inner = {
        name: (read_by(one), _changes(one, harmless) - own_names(one))
        for name, one in functions.items()
    }
    found = []
    for one in program:
        reads, changes = read_by(one), set()
        if not isinstance(one, FUNCTION):
            changes = _changes(one, harmless)
            for name in _reached(reads, inner):
                reads = reads | inner[name][0]
                changes |= inner[name][1]
        changes |= {twin for name in changes for twin in twins.get(name, ())}
        touches = bound_by(one) | stored_by(one) | (changes - imported)
        found.append(Effects(*map(frozenset, (bound_by(one), touches, reads))))
    return found


def _reached(names: set[str], inner: Mapping) -> set[str]:
    """Return the functions among names, and those that these name in turn."""
    found, todo = set(), names & inner.keys()
    while todo:
        found |= todo
        todo = set().union(*(inner[one][0] for one in todo)) & inner.keys()
        todo -= found
    return found


def _changes(node: ast.AST, harmless: set[str]) -> set[str]:
    """Return the names whose objects a node may change."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute | ast.Subscript):
            is_read = isinstance(one.ctx, ast.Load)
            found |= set() if is_read else roots(one)
        elif isinstance(one, ast.AugAssign):
            found |= roots(one.target)  # a list stays the same one
        elif isinstance(one, ast.Global):
            found |= set(one.names)
        elif isinstance(one, ast.Call) and not roots(one.func) & harmless:
            is_method = isinstance(one.func, ast.Attribute)
            if not (is_method and one.func.attr in QUIET):
                words = [word.value for word in one.keywords]
                found |= roots(one.func).union(*map(roots, one.args + words))
    return found


def _given(program: Iterable[ast.stmt]) -> list[tuple[set[str], ast.expr]]:
    """Return the names that are given a value or its items, with it."""
    found = []
    for node in (node for one in program for node in ast.walk(one)):
        if isinstance(node, ast.Assign):
            names = set().union(*map(roots, node.targets))
            found.append((names, node.value))
        elif isinstance(node, ast.For | ast.comprehension):
            found.append((roots(node.target), node.iter))
    return found


def _twins(given, imported) -> dict[str, set[str]]:
    """Return, for each name, the names that may be of the same object."""
    twins: dict[str, set[str]] = {}
    for names, value in given:
        together = (names | roots(value)) - imported
        together |= set().union(*(twins.get(name, ()) for name in together))
        twins |= dict.fromkeys(together, together)
    return twins


def _other_names(given, imported) -> set[str]:
    """Return the names that are never given anything but what is imported."""
    others = set()
    for names, value in given:
        is_call = any(isinstance(one, ast.Call) for one in ast.walk(value))
        stands_for = roots(value)
        if is_call or not stands_for or stands_for - imported:
            others |= names
    return set().union(*(names for names, _ in given)) - others
