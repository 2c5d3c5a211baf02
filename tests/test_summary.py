"""A run from any folder; its last lines; a picture that differs, in one."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pictures_compared import first_difference
from summary import summary

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks/against-the-engine.ipynb"  # the shortest


def pytest_in(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q",
         *map(str, arguments)],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("folder", ["", "notebooks", "elsewhere"])
def test_one_notebook_runs_from_any_folder(tmp_path, folder):
    if folder == "elsewhere":
        done = pytest_in(tmp_path, "--nbval", NOTEBOOK)
    else:
        here = ROOT / folder
        done = pytest_in(here, "--nbval", NOTEBOOK.relative_to(here))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 cells ran again and were compared, in 1 notebook" in done.stdout


def test_a_run_ends_with_what_was_skipped_and_what_runs_it():
    done = pytest_in(ROOT, "tests/test_stored.py", "tests/test_training.py")
    section = done.stdout.partition("what ran, and what did not")[2]
    reason = "skipped: checks the notebooks as the repository stores them"
    assert f"{reason}: make lint" in section
    assert "SKIPPED [" not in done.stdout


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
