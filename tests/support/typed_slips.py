"""The labs' known slips and variants, as a reader would type them.

A module of tests/labs keeps its slips as functions in tables. Its own source
is the starter, with a line for each function of the lab at its end.
"""

import ast
import re
import runpy
from itertools import zip_longest
from typing import NamedTuple

from multilora.labs.switch import NAMES
from repository import ROOT

LABS = ROOT / "tests/labs"
MODULES = [
    path.stem
    for pattern in ("test_slips_0?.py", "test_mutants_0*.py")
    for path in sorted(LABS.glob(pattern))
]
# What pytest does with a table is not needed: it remains a table.
TABLES = re.compile(r"^from mutants import .*$", re.M)
# Python's and numpy's own words differ between their versions; an object's
# address, and the type of a hash, between machines.
OTHERS_WORDS = re.compile(
    r"(raised \w+: ).*?(?=, line \d+ of [\w.]+$|$)"
    r"|(what came back cannot be used: \w+).*"
    r"|<[^<>]*0x[0-9a-f]+>"
)
ON_DICTS = "from on_dicts import OnDicts\n"


class Typed(NamedTuple):
    """A starter with slips, and what its lines must say of each of them."""

    lab: str
    source: str
    sentences: tuple[str, ...]


def ours(lines):
    """The lines of a report without what is in others' words."""
    return [OTHERS_WORDS.sub(r"\1\2…", line) for line in lines]


def typed_slips(module):
    """Return the starters that type a module's tables, row by row.

    A starter has one slip of each function, so that few starters hold all.
    """
    lab = re.search(r"_(\d\d)", module)[1]
    source = _source(module, NAMES[lab])
    wanted = {}  # function: its lines and sentences
    for table, rows in _tables(module):
        for k, (name, _, *said) in enumerate(rows):
            line = f"{name} = {table}[{k}][1]\n"
            wanted.setdefault(name, []).append((line, *said))
    return [
        _starter(lab, source, [item for item in one if item])
        for one in zip_longest(*wanted.values())
    ]


def _starter(lab, source, rows):
    return Typed(
        lab,
        source + "".join(line for line, *_ in rows),
        tuple(said[0] for _, *said in rows if said),
    )


def _tables(module):
    """Yield the name and the rows of each table that pytest goes through."""
    found = runpy.run_path(str(LABS / f"{module}.py"))
    for name, value in found.items():
        if name.startswith("test_") and hasattr(value, "pytestmark"):
            yield name, value.pytestmark[0].args[1]


def _source(module, names):
    text = (LABS / f"{module}.py").read_text("utf-8")
    on_dicts = (ROOT / "tests/support/on_dicts.py").read_text("utf-8")
    text = text.replace(ON_DICTS, on_dicts.partition('"""\n')[2])
    text = TABLES.sub("each_named = each_accepted = list", text)
    tree = _OfTheLibrary(names).visit(ast.parse(text))
    return ast.unparse(tree) + "\n\n"


class _OfTheLibrary(ast.NodeTransformer):
    """Calls the library's answers otherwise: the starter has their names."""

    def __init__(self, names):
        self.names = names

    def visit_alias(self, node):
        if node.name in self.names:
            node.asname = f"library_{node.name}"
        return node

    def visit_Name(self, node):
        if node.id in self.names:
            node.id = f"library_{node.id}"
        return node
