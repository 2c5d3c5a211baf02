"""A page of a made-up library, built for real: it follows the code."""

import pytest

from made_up_book import Book

pytestmark = pytest.mark.browser


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
    assert book.entries() == {"house.roof.tiles.tile": "tile()"}
    assert 'href="#house.roof.tiles.tile"' in book.page()
    assert "no targets are out of date" in book.build().stdout
    book.write("house/roof/tiles.py", 'def tile():\n    """Of clay."""\n')
    assert book.build().returncode == 0
    assert "<p>Of clay.</p>" in book.page() and "A tile" not in book.page()
    book.write("house/roof/chimney.py", "def smoke(): ...\n")
    assert book.build().returncode == 0
    assert "house.roof.chimney.smoke" in book.entries()
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
