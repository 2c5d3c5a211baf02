"""A run from any folder; its last lines; a picture that differs, in one."""

from collections import Counter

import pytest

from pictures_compared import first_difference
from programs import python
from repository import ROOT
from summary import summary

NOTEBOOK = ROOT / "notebooks/against-the-engine.ipynb"  # the shortest


def pytest_in(folder, *arguments):
    options = ("-p", "no:cacheprovider", "-q")
    return python("-m", "pytest", *options, *arguments, cwd=folder)


def test_a_notebook_runs_from_within_its_folder():
    done = pytest_in(NOTEBOOK.parent, "--nbval", NOTEBOOK.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 cells ran again and were compared, in 1 notebook" in done.stdout


def test_a_notebook_runs_from_elsewhere_by_its_path(tmp_path):
    done = pytest_in(tmp_path, "--nbval", NOTEBOOK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 cells ran again and were compared, in 1 notebook" in done.stdout


def test_a_run_ends_with_what_was_skipped_and_what_runs_it(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "from summary import pytest_terminal_summary"
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_runs(): pass\n"
        "@pytest.mark.skip(reason='needs x: make y')\n"
        "@pytest.mark.parametrize('number', range(2))\n"
        "def test_waits(number): pass\n"
    )
    done = pytest_in(tmp_path, "-o", f"pythonpath={ROOT / 'tests/support'}")
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.partition("what ran, and what did not")[2]
    assert "     1 tests ran\n     2 skipped: needs x: make y\n" in last


def test_the_summary_counts_tests_cells_and_reasons():
    ran = ["tests/a.py::one", "n/a.ipynb::Cell 0", "n/b.ipynb::Cell 0"]
    assert summary(ran, Counter({"needs x": 1, "needs y": 1_500})) == [
        "     1 tests ran",
        "     2 cells ran again and were compared, in 2 notebooks",
        " 1,500 skipped: needs y",
        "     1 skipped: needs x",
    ]
    assert summary([], Counter()) == []


SVG = "<svg>\n<path d='M 0 1 L 2 3'/>\n</svg>"


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (SVG, ""),
        (SVG.replace("L 2", "L 9"), "line 2, column 18:"),
        (SVG + "\n<!-- -->", "line 4, column 1:"),
        (SVG.rpartition("\n")[0], "line 3, column 1:"),
    ],
)
def test_pictures_differ_in_their_first_line_that_does(drawn, said):
    found = first_difference(SVG, drawn)
    assert found.splitlines()[:1] == [said][: bool(said)]
    assert all(len(line) < 80 for line in found.splitlines())


def test_long_lines_are_shown_where_they_differ():
    long = "x" * 10_000
    found = first_difference(long + "a" + long, long + "b" + long)
    assert "column 10001" in found and "a" in found and "b" in found
    assert len(found) < 250
