"""Modules read in their sources: names, signatures, rooms, imports."""

import ast
import importlib
import inspect

import pytest

from multilora.book.entries import entries_of
from multilora.book.floors import house_of
from multilora.book.library import contents_of
from multilora.book.rooms import room_markup
from multilora.book.sources import modules

# What an installation of the book need not have.
EXTRAS = {"numba", "tokenizers", "torch", "vllm", "peft", "transformers"}
IMPORTABLE = [name for name in modules("multilora")
              if not name.endswith(".__main__")]  # fmt: skip


@pytest.mark.parametrize("module", IMPORTABLE)
def test_a_signature_has_the_arguments_that_python_sees(module):
    """Read from the source, compared with inspect on the imported module."""
    try:
        live = importlib.import_module(module)
    except ModuleNotFoundError as error:
        assert error.name in EXTRAS
        pytest.skip(f"needs {error.name}: make test-engine")
    for entry in entries_of(module)[1]:
        thing = getattr(live, entry.name)
        if entry.kind == "exception" or not entry.signature:
            continue
        assert arguments_of(entry) == list(
            inspect.signature(thing).parameters
        ), f"{module}.{entry.name}"
        for member in entry.members:
            inner = inspect.getattr_static(thing, member.name)
            if member.kind == "property":
                assert not callable(inner)
                continue
            seen = list(inspect.signature(getattr(thing, member.name))
                        .parameters)  # fmt: skip
            wanted = arguments_of(member)
            # A plain method shows its self on the class.
            assert seen[len(seen) - len(wanted) :] == wanted
            assert len(seen) - len(wanted) == (member.kind == "method")


def arguments_of(entry):
    """The names of an entry's arguments, read as Python reads them."""
    signature = entry.signature.partition(" → ")[0]
    given = ast.parse(f"def f{signature}: ...").body[0].args
    every = [*given.posonlyargs, *given.args, given.vararg,
             *given.kwonlyargs, given.kwarg]  # fmt: skip
    return [item.arg for item in every if item]


STRANGE = '''"""Odd | *things* `here`."""
from dataclasses import dataclass, field
from functools import cached_property
from os.path import join
from typing import ClassVar, NamedTuple

def plain(a, /, b: "int" = 1, *rest, c, d: list[int] = (), **more) -> dict:
    """Return {name: ratio} of *a* and |x| < 1 & `b_c`; see <b>.

    first   second
      indented_
    """

async def later(*, x=None): ...

def _hidden(): ...

class Odd(ValueError):
    """An error_ of :its: own."""

@dataclass(frozen=True)
class Row:
    """A row."""
    NAMES: ClassVar[tuple] = ()
    a: int
    b: list = field(default_factory=list)
    c: int = field(default=2, repr=False)
    d: int = field(init=False)

class Pair(NamedTuple):
    x: float
    y: float = 0.5

class Thing:
    """A thing."""
    def __init__(self, size, *, kind="a"): ...
    def act(self, now): ...
    @property
    def size(self): ...
    @cached_property
    def area(self): ...
    @classmethod
    def of(cls, text): ...
    @staticmethod
    def sum(a, b): ...
    def _hide(self): ...

class Bare(Thing):
    """Nothing of its own."""
'''


def test_every_form_of_a_definition_is_read(made_up):
    package = house_of(made_up({"odd.py": STRANGE}, ["odd"])).package
    doc, entries = entries_of(f"{package}.odd")
    assert doc == "Odd | *things* `here`."
    found = [(e.kind, e.name + e.signature) for e in entries]
    assert found == [
        ("function", "plain(a, /, b: int = 1, *rest, c, "
                     "d: list[int] = (), **more) → dict"),
        ("function", "later(*, x=None)"),
        ("exception", "Odd"),
        ("class", "Row(a: int, b: list = ..., c: int = 2)"),
        ("class", "Pair(x: float, y: float = 0.5)"),
        ("class", "Thing(size, *, kind='a')"),
        ("class", "Bare"),
    ]  # fmt: skip
    members = {e.name: e.members for e in entries}["Thing"]
    assert [(e.kind, e.name + e.signature) for e in members] == [
        ("method", "act(now)"),
        ("property", "size"),
        ("property", "area"),
        ("classmethod", "of(text)"),
        ("staticmethod", "sum(a, b)"),
    ]


def test_no_sign_of_a_docstring_becomes_markup(made_up):
    house = house_of(made_up({"odd.py": STRANGE}, ["odd"]))
    contents = contents_of(f"{house.package}.odd")
    page = room_markup(house.package, "odd", house.uses, contents)
    assert "Return {name: ratio} of *a* and |x| &lt; 1 &amp; " in page
    assert "<code>b_c</code>; see &lt;b&gt;." in page
    assert "<pre>first   second\n  indented_</pre>" in page
    assert "An error_ of :its: own." in page
    assert "_hid" not in page and "join" not in page
    assert page.count("<dt ") == page.count("</dt>") == 12
    assert page.count("<dl>") == page.count("</dl>") == 2
