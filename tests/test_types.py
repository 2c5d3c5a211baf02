"""Each public function of a typed room says what it takes and returns.

mypy checks what is written; here nothing may be missing.
"""

import ast

import pytest

from multilora.book.floors import contract_of
from repository import ROOT

pytestmark = pytest.mark.stored

SOURCE = ROOT / "src/multilora"
_, FLOORS = contract_of(ROOT / "pyproject.toml")
ROOMS = FLOORS[FLOORS.index("figures") + 1 :]  # as mypy checks
CALLED = ("__init__", "__call__")  # by whoever makes one, or uses it


def modules(room):
    file = SOURCE / f"{room}.py"
    files = [file] if file.is_file() else sorted((SOURCE / room).glob("*.py"))
    return [path for path in files if not path.name.startswith("starter_")]


def gaps(node, is_method=False):
    """Return {name: arguments without a type, and "return"} below a node."""
    found = {}
    for item in node.body:
        if is_exempt(item):
            continue
        if isinstance(item, ast.ClassDef):
            for name, missing in gaps(item, is_method=True).items():
                found[f"{item.name}.{name}"] = missing
        elif isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            if missing := untyped(item, is_method):
                found[item.name] = missing
    return found


def is_exempt(item):
    name = getattr(item, "name", "")
    if name.startswith("test_"):  # a spec's; its arguments are a learner's
        return True
    return name.startswith("_") and name not in CALLED


def untyped(function, is_method):
    of = function.args
    every = [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]
    decorators = {getattr(item, "id", "") for item in function.decorator_list}
    if is_method and "staticmethod" not in decorators:
        del every[0]  # self or cls
    missing = [item.arg for item in every if item and not item.annotation]
    return missing + ["return"] * (function.returns is None)


@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_say_their_types(room):
    found = {
        f"{path.relative_to(SOURCE)}: {name}": missing
        for path in modules(room)
        for name, missing in gaps(ast.parse(path.read_text("utf-8"))).items()
    }
    assert modules(room)
    assert found == {}


def test_what_has_no_type_is_named():
    source = """
def half(a: int, b, *, c=1, **d): ...
def _private(a): ...
def whole(a: int, *b: int) -> None: ...
class Room:
    def __init__(self, a): ...
    def __repr__(self): ...
    @property
    def size(self): ...
    @staticmethod
    def make(a) -> int: ...
    @classmethod
    def other(cls) -> int: ...
class _Own:
    def run(self): ...
"""
    assert gaps(ast.parse(source)) == {
        "half": ["b", "c", "d", "return"],
        "Room.__init__": ["a", "return"],
        "Room.size": ["return"],
        "Room.make": ["a"],
    }
