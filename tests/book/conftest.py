"""A package of draws, and an explorer with equal frames."""

import sys

import pytest

from multilora.explore.explorer import Explorer
from twins import draw_twins


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
