"""Editors in cells: a small notebook, built for real."""

import json

import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from multilora.book.notebooks import KERNEL
from programs import sphinx
from repository import ROOT

IMPORTS = "from multilora.exercises import check_exercise"
STUB = 'answer = None\n\ncheck_exercise("cliff", answer)'


def cell(source, printed, *tags):
    outputs = [new_output("stream", name="stdout", text=printed)]
    return new_code_cell(source, metadata={"tags": tags}, outputs=outputs)


@pytest.fixture
def build(tmp_path):
    """Builds a book of one notebook and returns its page and what failed."""

    def build(*cells, with_python=True):
        if with_python:
            (tmp_path / "vendor").symlink_to(ROOT / "vendor")
            (tmp_path / "book").symlink_to(ROOT / "book")
        (tmp_path / "conf.py").write_text(
            "extensions = ['myst_nb', 'multilora.book']\n"
            "exclude_patterns = ['_build', 'book', 'vendor']\n"
            "html_static_path = ['book/static', 'vendor/prism-code-editor']\n"
            "nb_execution_mode = 'off'\nhtml_math_renderer = 'mathml'\n"
            if with_python
            else "extensions = ['myst_nb', 'multilora.book']\n"
        )
        metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
        notebook = new_notebook(cells=list(cells), metadata=metadata)
        (tmp_path / "index.ipynb").write_text(json.dumps(notebook))
        done = sphinx(tmp_path)
        page = tmp_path / "_build/html/index.html"
        return page.read_text("utf-8") if page.is_file() else "", done.stderr

    return build


@pytest.mark.browser
def test_a_stub_is_replaced_and_a_cell_to_try_gets_a_fold(build):
    page, failed = build(
        new_markdown_cell("# Book\n\n## List\n\n| a |\n|---|\n| b |"),
        cell(IMPORTS, ""),
        new_markdown_cell("## 1. One"),
        cell(STUB, "not attempted yet, as stored"),
        cell(STUB.replace("None", "588"), "right", "hide-cell"),
        cell("x = 1", ""),
        cell("print(x)", "1 as stored", "try-it"),
    )
    assert failed == ""
    assert page.count('class="workbench"') == 2
    assert "not attempted yet, as stored" not in page
    assert "1 as stored" in page and "right" in page
    assert page.count('data-title="The edge of the cliff"') == 1
    assert "Check <small" in page and "Run <small" in page
    before, _, fold = page.partition('<details class="try-it">')
    assert before.index("1 as stored") > before.index('data-name="exercise:')
    assert "x = 1\n\nprint(x)</textarea>" in fold
    assert page.index('class="exercise-count"') < page.index("<table")
    assert page.count('id="bench-1"') == page.count('id="bench-2"') == 1
    assert "connect-src 'none'" in page and "cells.js" in page


@pytest.mark.browser
def test_a_stub_of_no_exercise_fails_the_build(build):
    _, failed = build(
        new_markdown_cell("# Book"),
        cell(IMPORTS, ""),
        cell(STUB.replace("cliff", "clif"), ""),
    )
    assert "index.ipynb: check_exercise's name is 'clif'" in failed


@pytest.mark.browser
def test_an_editor_needs_python_in_the_books_folder(build):
    _, failed = build(
        new_markdown_cell("# Book"),
        cell("print(1)", "1", "try-it"),
        with_python=False,
    )
    assert "index: it has an editor" in failed and "no vendor/" in failed
