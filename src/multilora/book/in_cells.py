"""Editors in the page of a notebook: at its stubs, under its cells."""

import json
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError

from multilora.book.benches import markup_of
from multilora.book.cells import cells_to_try, code_cells, exercises

# Where the page says how many exercises are right: a script fills it in.
COUNT = '<p class="exercise-count" hidden></p>'


def put_in_cells(doctree, path, size):
    """Put the editors of a notebook's cells in its page; return how many.

    An exercise's editor replaces its stub, and the one of a cell to try is in
    a fold under it. path is the page's source, size what the first click
    loads, in words. A page that is no notebook stays as it is.
    """
    path = Path(path)
    if path.suffix != ".ipynb":
        return 0
    cells = code_cells(json.loads(path.read_text("utf-8")))
    try:
        asked, tried = exercises(cells), cells_to_try(path.stem, cells)
    except ValueError as error:
        raise ExtensionError(f"{path.name}: {error}") from None
    number = 0
    for node in list(doctree.findall(nodes.container)):
        if node.get("nb_element") != "cell_code":
            continue
        place = node["cell_index"]
        for benches, put in ((asked, _instead), (tried, _under)):
            if place in benches:
                number += 1
                put(node, markup_of(benches[place], number, size))
    if asked:
        _count(doctree)
    return number


def _instead(node, markup):
    node.replace_self(_raw(markup))


def _under(node, markup):
    fold = f'<details class="try-it"><summary>Try it</summary>{markup}'
    place = node.parent.index(node) + 1
    node.parent.insert(place, _raw(f"{fold}</details>"))


def _count(doctree):
    """Put a count before the list of exercises, the page's first table."""
    for table in doctree.findall(nodes.table):
        table.parent.insert(table.parent.index(table), _raw(COUNT))
        return


def _raw(markup):
    return nodes.raw("", markup, format="html")
