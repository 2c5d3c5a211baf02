"""The contract of the floors is not empty words: what it forbids, it finds.

A copy of the sources gets one import that breaks a rule; lint-imports, as
`make lint` runs it, must fail there and name the import.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repository import ROOT

LINT = Path(sys.executable).with_name("lint-imports")
pytestmark = pytest.mark.stored


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A folder with pyproject.toml and the package's code, without data."""
    if not LINT.is_file():
        pytest.skip("needs import-linter: make lint")
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(
        ROOT / "src/multilora",
        folder / "src/multilora",
        ignore=shutil.ignore_patterns("data", "__pycache__"),
    )
    return folder


@pytest.fixture
def lint_with(copy):
    """Runs lint-imports on the copy, one file of it a line longer."""
    changed = {}

    def lint_with(file, line):
        path = copy / "src/multilora" / file
        changed[path] = path.read_text("utf-8")
        path.write_text(f"{changed[path]}\n{line}\n", "utf-8")
        return subprocess.run(
            [LINT, "--no-cache"], cwd=copy, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(copy / "src")},
        )  # fmt: skip

    yield lint_with
    for path, text in changed.items():
        path.write_text(text, "utf-8")


def flat(done):
    return " ".join(done.stdout.split())


def test_the_code_as_it_is_keeps_every_contract(lint_with):
    done = lint_with("units.py", "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BROKEN" not in done.stdout and " kept, 0 broken." in done.stdout


UPWARD = [
    ("units.py", "from multilora.memory import ledger",
     "multilora.units -> multilora.memory.ledger"),
    ("matmul/lora.py", "import multilora.labs.switch",
     "multilora.matmul.lora -> multilora.labs.switch"),
    ("cache/slots.py", "def late():\n    from multilora.serving import run",
     "multilora.cache.slots -> multilora.serving.run"),
    ("figures/boxes.py", "from multilora.explore.sliders import show",
     "multilora.figures.boxes -> multilora.explore.sliders"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "line", "said"), UPWARD)
def test_an_import_that_points_up_is_named(lint_with, file, line, said):
    done = lint_with(file, line)
    assert done.returncode == 1
    assert "Imports point down the floors BROKEN" in done.stdout
    assert said in flat(done)


@pytest.mark.parametrize("library", ["matplotlib", "ipywidgets", "IPython"])
def test_drawing_below_the_figures_is_named(lint_with, library):
    done = lint_with("exercises/hits.py", f"import {library}")
    assert done.returncode == 1
    assert "Below the figures nothing draws BROKEN" in done.stdout
    assert f"multilora.exercises.hits -> {library}" in flat(done)


@pytest.mark.parametrize("library", ["torch", "vllm", "peft", "transformers"])
def test_an_engine_in_the_models_is_named(lint_with, library):
    done = lint_with("cache/slots.py", f"import {library}")
    assert done.returncode == 1
    assert "vLLM, torch and PEFT are for the engine" in done.stdout
    assert f"multilora.cache.slots -> {library}" in flat(done)


def test_a_circle_within_a_room_is_named(lint_with):
    done = lint_with("cache/reuse.py", "from multilora.cache import hitrate")
    assert done.returncode == 1
    assert "No two modules of a room import each other BROKEN" in done.stdout
    assert "allowed in multilora.cache. It could" in flat(done)
    assert "- .reuse -> .hitrate (1 import)" in flat(done)


def test_a_room_without_a_floor_is_named(lint_with, copy):
    attic = copy / "src/multilora/attic"
    attic.mkdir()
    (attic / "__init__.py").write_text("")
    done = lint_with("units.py", "")
    shutil.rmtree(attic)
    assert done.returncode == 1
    assert "attic" in done.stdout
