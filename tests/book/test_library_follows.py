"""A page of a made-up library, built for real: it follows the code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser


class Book:
    """A book of one page about a made-up package, as Sphinx builds it."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(ROOT / "book/static", folder / "static")
        self.write(
            "conf.py",
            "extensions = ['myst_parser', 'multilora.book']\n"
            "exclude_patterns = ['_build']\n"
            "html_static_path = ['static']\n"
            "html_math_renderer = 'mathml'\n",
        )
        self.write(
            "pyproject.toml",
            '[tool.importlinter]\nroot_package = "house"\n'
            '[[tool.importlinter.contracts]]\ntype = "layers"\n'
            'layers = ["roof", "cellar"]\n',
        )
        self.write("house/__init__.py", "")
        self.write("house/roof/__init__.py", "")
        self.write("house/roof/tiles.py", 'def tile():\n    """A tile."""\n')
        self.write("house/cellar.py", '"""Below."""\n')

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def build(self):
        return subprocess.run(
            [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-b",
             "html", "-d", self.folder / "_build/trees", self.folder,
             self.folder / "_build/html"],
            capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
        )  # fmt: skip

    def page(self):
        return (self.folder / "_build/html/index.html").read_text("utf-8")


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


PAGE = """# House

```{floors}
```

## roof

Begin with {py:func}`~house.roof.tiles.tile`.

```{room} roof
```

## cellar

```{room} cellar
```
"""


def test_a_page_follows_the_code(book):
    """A changed docstring, a new module, an import that points up."""
    book.write("index.md", PAGE)
    done = book.build()
    assert done.returncode == 0, done.stderr
    assert '<dt id="house.roof.tiles.tile">' in book.page()
    assert 'href="#house.roof.tiles.tile"' in book.page()
    assert "no targets are out of date" in book.build().stdout
    book.write("house/roof/tiles.py", 'def tile():\n    """Of clay."""\n')
    assert book.build().returncode == 0
    assert "<p>Of clay.</p>" in book.page() and "A tile" not in book.page()
    book.write("house/roof/chimney.py", "def smoke(): ...\n")
    assert book.build().returncode == 0
    assert '<dt id="house.roof.chimney.smoke">' in book.page()
    assert "against the rule" not in book.page()
    book.write("house/cellar.py", "import house.roof.tiles\n")
    assert book.build().returncode == 0
    assert "against the rule: cellar from roof." in book.page()


def test_a_page_that_cannot_be_made_says_why(book):
    book.write("index.md", PAGE + "\n```{room} attic\n```\n")
    done = book.build()
    assert done.returncode != 0
    assert "room is 'attic', allowed: roof, cellar" in done.stderr
    book.write("index.md", PAGE)
    book.write("house/roof/tiles.py", "def slate(): ...\n")
    done = book.build()
    assert done.returncode != 0
    assert "reference target not found: house.roof.tiles.tile" in done.stderr
    book.write("pyproject.toml", "")
    done = book.build()
    assert done.returncode != 0
    assert "has no section [tool.importlinter]" in done.stderr
    book.write(
        "pyproject.toml",
        '[tool.importlinter]\nroot_package = "no_house"\n'
        '[[tool.importlinter.contracts]]\ntype = "layers"\nlayers = ["a"]\n',
    )
    done = book.build()
    assert done.returncode != 0
    assert "there is no module no_house" in done.stderr
