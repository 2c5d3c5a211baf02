"""Notebooks in normal form: executed, stored, the same bytes each time.

    python -m multilora.book.notebooks run notebooks/*.ipynb
    python -m multilora.book.notebooks normalise notebooks/*.ipynb

`run` executes and normalises, `normalise` only rewrites what is stored.
"""

import itertools
import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.reader import NotJSONError
from nbformat.validator import ValidationError

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MEASURED = "nbval-ignore-output"
FOLDED = "hide-cell"  # a fold in the book; JupyterLab goes by metadata
FOLDED_IN_LAB = {"outputs_hidden": True, "source_hidden": True}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}


def normal_form(notebook):
    """Return a notebook as plain data without what changes by itself.

    Widget state, timing, kernel versions and random ids go, and so do empty
    cells at the end; cells and runs are numbered in order, streams joined,
    and only tags and `book` metadata stay; a cell tagged hide-cell is folded
    in JupyterLab too.
    """
    metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    if "book" in notebook["metadata"]:
        metadata["book"] = notebook["metadata"]["book"]
    cells = list(notebook["cells"])
    while cells and not "".join(cells[-1]["source"]).strip():
        cells.pop()  # JupyterLab adds one where the last cell is run by keys
    run = itertools.count(1)
    return {
        "cells": [
            _normal_cell(cell, number, run)
            for number, cell in enumerate(cells)
        ],
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def to_text(notebook):
    """Return the file content of a notebook in normal form."""
    data = normal_form(notebook)
    return (
        json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    )


def execute(path):
    """Run a notebook top to bottom in a fresh kernel; return it.

    A failed cell raises. A cell tagged nbval-ignore-output holds a
    measurement: its stored output is kept while its source is unchanged.
    """
    notebook = nbformat.read(path, as_version=4)
    kept = {
        cell["source"]: cell["outputs"]
        for cell in notebook["cells"]
        if MEASURED in cell["metadata"].get("tags", []) and cell["outputs"]
    }
    NotebookClient(
        notebook,
        timeout=300,
        record_timing=False,
        resources={"metadata": {"path": str(Path(path).parent)}},
    ).execute()
    for cell in notebook["cells"]:
        if MEASURED in cell["metadata"].get("tags", []):
            cell["outputs"] = kept.get(cell["source"], cell["outputs"])
    return notebook


def _normal_cell(cell, number, run):
    plain = {
        "cell_type": cell["cell_type"],
        "id": f"cell-{number:02}",
        "metadata": {},
        "source": _lines(cell["source"]),
    }
    tags = cell["metadata"].get("tags")
    if tags:
        plain["metadata"] = {"tags": sorted(tags)}
        if FOLDED in tags:
            plain["metadata"]["jupyter"] = FOLDED_IN_LAB
    if cell["cell_type"] == "code":
        has_run = cell["execution_count"] is not None
        plain["execution_count"] = next(run) if has_run else None
        plain["outputs"] = _normal_outputs(
            cell["outputs"], plain["execution_count"]
        )
    return plain


def _normal_outputs(outputs, count):
    normal = []
    for output in outputs:
        output = {key: value for key, value in output.items()}
        if output["output_type"] == "stream":
            last = normal[-1] if normal else {}
            if last.get("name") == output["name"]:
                last["text"] = _lines("".join(last["text"]) + output["text"])
                continue
            output["text"] = _lines(output["text"])
        if "execution_count" in output:
            output["execution_count"] = count
        if "data" in output:
            output["metadata"] = {}
            output["data"] = {
                kind: _lines(value) if isinstance(value, str) else value
                for kind, value in output["data"].items()
                if kind != WIDGET_VIEW
            }
        normal.append(output)
    return normal


def _lines(text):
    text = "".join(text)
    return text.splitlines(keepends=True)


def main(arguments):
    """Run or normalise the notebooks named on the command line."""
    if len(arguments) < 2 or arguments[0] not in ("run", "normalise"):
        sys.exit(__doc__)
    command, *paths = arguments
    for path in paths:
        if not Path(path).is_file():
            sys.exit(f"{path}: no such file")
        try:
            notebook = nbformat.read(path, as_version=4)
            nbformat.validate(notebook)
        except (
            ValueError,
            KeyError,
            AttributeError,
            NotJSONError,
            ValidationError,
        ):
            sys.exit(f"{path} is not a notebook")
        text = to_text(execute(path) if command == "run" else notebook)
        Path(path).write_text(text, encoding="utf-8")
        print(f"{path}: {len(text) // 1000} kB in normal form")


if __name__ == "__main__":
    main(sys.argv[1:])
