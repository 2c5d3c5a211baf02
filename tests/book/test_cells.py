"""Which cells of a notebook get an editor, and what it holds."""

import ast
import io
import json
import re
import zipfile

import pytest

from multilora.book.cells import cells_to_try, code_cells, exercises
from multilora.book.packing import (
    PACKAGE,
    carried_zip,
    loaded_bytes,
    parts_of,
)
from multilora.exercises.checking import ENTRIES
from programs import python
from repository import ROOT

NOTEBOOKS = ROOT / "notebooks"
# What a page lacks: it draws nothing, and JupyterLab's widgets are not there.
ABSENT = ("matplotlib", "ipywidgets", "IPython", "multilora.figures",
          "multilora.explore", "multilora.book", "multilora.cli")  # fmt: skip


def read(page):
    path = NOTEBOOKS / f"{page}.ipynb"
    return json.loads(path.read_text("utf-8"))


def made_up(*cells):
    """Return a notebook: (tags, source) is code, a text is markdown."""
    return {
        "cells": [
            {"cell_type": "markdown", "source": [cell]}
            if isinstance(cell, str)
            else {
                "cell_type": "code",
                "source": cell[1].splitlines(keepends=True),
                "metadata": {"tags": cell[0]} if cell[0] else {},
            }
            for cell in cells
        ]
    }


IMPORTS = "import math\n\nfrom multilora.exercises import check_exercise"
STUB = 'answer = None\n\ncheck_exercise("cliff", answer)'


def test_a_stub_becomes_an_editor_with_what_runs_before_it():
    notebook = made_up(
        "## Part 1", ([], IMPORTS), "### 1. One\n\nText.",
        ([], "given = 3\nprint(given)\nshown = [print]"), ([], STUB),
        (["hide-cell"], STUB.replace("None", "588")), "### 2. Two",
        ([], STUB.replace("cliff", "sessions")),
    )  # fmt: skip
    found = exercises(code_cells(notebook))
    assert list(found) == [4, 7]
    assert found[4].starter == STUB
    assert found[4].first == f"{IMPORTS}\ngiven = 3"
    assert found[4].name == "exercise:cliff"
    assert found[4].title == ENTRIES["cliff"].title
    assert found[7].first == IMPORTS


def test_a_stub_of_no_exercise_is_refused():
    cells = code_cells(made_up(([], STUB.replace("cliff", "clif"))))
    with pytest.raises(ValueError, match="name is 'clif'"):
        exercises(cells)


def test_a_cell_to_try_is_whole_and_is_called_by_its_code():
    notebook = made_up(
        ([], "x = 1\ny = 2"), "# Lab\n\n## 1. One", (["try-it"], "print(x)")
    )
    (bench,) = cells_to_try("lab", code_cells(notebook)).values()
    assert bench.starter == "x = 1\n\nprint(x)"
    assert bench.label == "Code to try: 1. One"
    notebook["cells"][0]["source"] = ["x = 2"]
    (other,) = cells_to_try("lab", code_cells(notebook)).values()
    assert other.name != bench.name
    assert other.name.startswith("try:lab:")


def test_every_exercise_that_code_checks_has_an_editor():
    found = exercises(code_cells(read("exercises")))
    names = [bench.name.partition(":")[2] for bench in found.values()]
    assert names == [name for name, one in ENTRIES.items() if one.answer]


TRIED = [
    (page, place, bench)
    for page in sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    for place, bench in cells_to_try(page, code_cells(read(page))).items()
]


def test_labs_01_and_04_have_experiments_to_change():
    pages = [page for page, _, _ in TRIED]
    labs = ["lab-01-batched-lora-matmul", "lab-04-adapter-slot-cache"]
    assert sorted(set(pages)) == labs
    assert all(3 <= pages.count(lab) <= 5 for lab in labs)


@pytest.mark.parametrize(("page", "place", "bench"), TRIED)
def test_a_cell_to_try_prints_alone_what_the_page_shows(page, place, bench):
    absent = f"import sys\nsys.modules |= dict.fromkeys({ABSENT})\n"
    done = python("-c", absent + bench.starter)
    cell = read(page)["cells"][place]
    shown = "".join("".join(one["text"]) for one in cell["outputs"])
    assert done.stderr == ""
    assert done.stdout == shown
    assert "nbval-ignore-output" not in cell["metadata"]["tags"]


def test_the_page_has_each_module_that_its_cells_import():
    with zipfile.ZipFile(io.BytesIO(carried_zip(PACKAGE))) as library:
        names = set(library.namelist())
    asked = exercises(code_cells(read("exercises"))).values()
    code = [bench.first for bench in asked]
    asked_for = imported(*code, *(bench.starter for _, _, bench in TRIED))
    paths = {module: module.replace(".", "/") for module in asked_for}
    assert [
        module
        for module, path in paths.items()
        if not {f"{path}.py", f"{path}/__init__.py"} & names
    ] == []
    for tenant in ("pirate", "sql", "legal", "json"):
        folder = f"multilora/data/tenants/{tenant}"
        assert f"{folder}/adapter_model.safetensors" in names


def imported(*sources):
    """Return the modules of the library from which sources import names."""
    nodes = [node for one in sources for node in ast.walk(ast.parse(one))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {
        node.module for node in imports if node.module.startswith("multilora.")
    }


def test_the_pages_say_how_much_the_first_click_loads():
    parts = parts_of(ROOT / "vendor", ROOT / "book/static/worker.js")
    megabytes = loaded_bytes(parts) / 1e6
    pages = ("index", "how-to-read")
    for name in (
        "README.md",
        "notebooks/exercises.ipynb",
        *(f"book/{page}.md" for page in pages),
    ):
        text = (ROOT / name).read_text("utf-8")
        said = re.findall(r"(?:some|loads)\s(\d+) MB", text)
        assert said, name
        assert all(abs(int(number) - megabytes) < 1 for number in said), name
