"""Every form of a definition, as the page of a made-up library shows it."""

import pytest

from made_up_book import Book

pytestmark = pytest.mark.browser

STRANGE = '''"""Odd | *things* `here`.

More of_ it.
"""
from dataclasses import dataclass, field
from functools import cache, cached_property
from os.path import join
from typing import ClassVar, NamedTuple, Protocol

import no_such_library
from no_such_library import Model

SIZE = 3
Names = list[str] | tuple[str, ...]

def plain(a, /, b: "int" = 1, *rest, c: Names, d=SIZE, **more) -> Names:
    """Return {name: ratio} of *a* and |x| < 1 & `b_c`; see <b>.

    first   second
      indented_
    """

async def later(*, x=None): ...

@cache
def kept(x: Model): ...

@no_such_library.jit(cache=True)
def compiled(x): ...

def _hidden(): ...

again = plain

class Odd(ValueError):
    """An error_ of :its: own."""

@dataclass(frozen=True)
class Row:
    """A row."""
    NAMES: ClassVar[tuple] = ()
    a: int
    b: list = field(default_factory=list)
    c: type = dict
    d: int = field(init=False)

class Pair(NamedTuple):
    """Two."""
    x: float
    y: float = 0.5

class Thing:
    """A thing."""
    kind = str
    def __init__(self, size: Names, *, kind="a") -> None: ...
    def act(self, now): ...
    @property
    def size(self) -> int: ...
    @cached_property
    def area(self): ...
    @classmethod
    def of(cls, text): ...
    @staticmethod
    def sum(a, b): ...
    def _hide(self): ...

class Bare(Thing):
    """Nothing of its own."""

class Form(Protocol):
    """What something must have."""
'''
SHOWN = {
    "plain": "plain(a, /, b: int = 1, *rest, c: Names, d=SIZE, **more) "
             "→ Names",
    "later": "async later(*, x=None)",
    "kept": "kept(x: Model)",
    "compiled": "compiled(x)",
    "Odd": "exception Odd",
    "Row": "class Row(a: int, b: list = ..., c: type = dict)",
    "Pair": "class Pair(x: float, y: float = 0.5)",
    "Thing": "class Thing(size: Names, *, kind='a')",
    "Thing.act": "act(now)",
    "Thing.size": "property size: int",
    "Thing.area": "property area",
    "Thing.of": "classmethod of(text)",
    "Thing.sum": "static sum(a, b)",
    "Bare": "class Bare",
    "Form": "class Form",
}  # fmt: skip
CONF = """
autodoc_mock_imports = ['json', 'no_such_library']

def setup(app):
    app.connect('build-finished', tell)

def tell(app, error):
    from importlib.util import find_spec
    print(app.config.autodoc_mock_imports, find_spec('no_such_library'))
"""
PAGE = "# House\n\n```{room} roof\n:without: ti*\n```\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A page about STRANGE, and what Sphinx said."""
    book = Book(tmp_path_factory.mktemp("book"))
    conf = (book.folder / "conf.py").read_text("utf-8")
    book.write("conf.py", conf + CONF)
    book.write("house/roof/odd.py", STRANGE)
    book.write("house/roof/__main__.py", "raise SystemExit('run')\n")
    book.write("index.md", PAGE)
    return book, book.build()


def test_every_form_of_a_definition_is_shown(built):
    book, done = built
    assert done.returncode == 0, done.stderr
    assert list(book.entries().items()) == [
        (f"house.roof.odd.{name}", text) for name, text in SHOWN.items()
    ]


def test_no_sign_of_a_docstring_becomes_markup(built):
    page = built[0].page()
    assert "Odd | *things* <code>here</code>." in page
    assert page.count("Odd | ") == 1 and "<p>More of_ it.</p>" in page
    assert "Return {name: ratio} of *a* and |x| &lt; 1 &amp; " in page
    assert "<code>b_c</code>; see &lt;b&gt;." in page
    assert "<pre>first   second\n  indented_</pre>" in page
    assert "An error_ of :its: own." in page


def test_only_what_is_missing_is_mocked_and_stays_missing(built):
    assert "['no_such_library'] None" in built[1].stdout


def test_a_module_that_fails_is_named(built):
    book = built[0]
    book.write("house/roof/odd.py", "def f(): ...\nimport no_such_thing\n")
    done = book.build()
    assert done.returncode != 0
    assert "failed to import module 'odd'" in done.stderr
    assert "No module named 'no_such_thing'" in done.stderr
