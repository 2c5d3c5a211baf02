"""Packages made up for a test, and an explorer with equal frames."""

import sys

import pytest

from multilora.explore.explorer import Explorer
from twins import draw_twins
from workbenches import lab_opener


@pytest.fixture
def twins():
    return Explorer.of(draw_twins, {"one": [1, 2], "two": [1, 2, 3]})


@pytest.fixture
def figs(tmp_path, monkeypatch):
    """A package of one's own: a draw module, what it imports, its data."""
    folder = tmp_path / "figs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "sums.py").write_text("FACTOR = 2\n")
    (folder / "other.py").write_text("")
    (folder / "data.json").write_text("{}")
    (folder / "draw.py").write_text(
        "from figs import sums\n"
        "from multilora.figures.style import panels\n"
        "def draw_lines(fig, rank):\n"
        "    (axes,) = panels(fig, {'xlim': (0, 9)})\n"
        "    axes.axvline(rank + 0)\n"
        "    return f'Twice {rank} is {sums.FACTOR * rank}.'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("figs")]:
        monkeypatch.delitem(sys.modules, name)
    return folder


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Makes a package of {file: source} and returns its pyproject.toml."""
    monkeypatch.syspath_prepend(tmp_path)
    name = tmp_path.name  # of this test alone, for Python keeps modules

    def made_up(files, layers):
        for file, source in {"__init__.py": "", **files}.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source.replace("PACKAGE", name), "utf-8")
        pyproject = tmp_path / "pyproject.toml"
        pyproject.write_text(
            f'[tool.importlinter]\nroot_package = "{name}"\n'
            '[[tool.importlinter.contracts]]\ntype = "layers"\n'
            f"layers = {layers}\n"
        )
        return pyproject

    return made_up


@pytest.fixture(scope="module", name="page")
def one_page(browser):
    """One page of a phone's width, the network cut; notes what is wrong."""
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, offline=True
    )
    page = context.new_page()
    page.problems, page.asked = [], []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda note: _note(page.problems, note))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


def _note(problems, note):
    if note.type in ("error", "warning"):
        problems.append(note.text)


@pytest.fixture
def open_lab(browser):
    """Opens a lab's page, over http or as a file: workbenches.lab_opener."""
    with lab_opener(browser) as open_lab:
        yield open_lab


@pytest.fixture(scope="module")
def booted(browser):
    """A workbench of lab 01 whose Python has started, for a whole module."""
    with lab_opener(browser) as open_lab:
        bench = open_lab()
        bench.grade()
        yield bench
