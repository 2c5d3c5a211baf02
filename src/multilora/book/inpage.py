"""Pages with Python: markers become editors, and Python's parts are packed.

In a page or a markdown cell of a notebook

    <div class="workbench" data-lab="01">where to find the starter</div>

becomes an editor that grades the starter of lab 01 in the page; its text is
what JupyterLab shows. A notebook's exercises and the cells with the tag try-it
get editors too: see in_cells. In a page

    <div class="own-case">how to do the same in a shell</div>

becomes the form that plans a reader's case.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError

from multilora.arguments import shown
from multilora.book.benches import lab_bench, markup_of
from multilora.book.case_form import form_of
from multilora.book.in_cells import put_in_cells
from multilora.book.packing import (
    PACKAGE,
    loaded_bytes,
    parts_of,
    publish,
    script_names,
)
from multilora.labs.switch import NAMES

FOLDER = "_static/python"
# Nothing in such a page, its worker too, may ask another host: no script, no
# font (a worker can load one), nothing that a default of none would let pass.
POLICY = (
    "default-src 'self' file: data: blob: 'unsafe-inline'; "
    "connect-src 'none'; object-src 'none'; worker-src blob:; "
    "font-src 'self' file: data:; "
    "script-src 'self' file: 'unsafe-inline' 'wasm-unsafe-eval'"
)
SCRIPTS = ("prism-code-editor.js", "python.js", "workbench.js", "cells.js")
STYLES = ("inpage.css", "layout.css", "workbench.css", "cells.css")
CASE = re.compile(r'<div class="own-case">(.*)</div>', re.DOTALL)
CASE_SCRIPTS = ("python.js", "case_files.js", "case_blocks.js", "case.js")
CASE_STYLES = ("inpage.css", "case.css")
MARKER = re.compile(r'<div class="workbench" data-lab="([^"]*)">')


def setup(app):
    app.connect("builder-inited", _begin)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _forget)
    app.connect("doctree-read", _put_benches)
    app.connect("html-page-context", _equip)
    app.connect("build-finished", _publish)


def _begin(app):
    root = Path(app.confdir)
    worker = root / "book/static/worker.js"
    has_parts = (root / "vendor").is_dir()  # a small book has none
    app.python_parts = parts_of(root / "vendor", worker) if has_parts else {}
    app.python_names = script_names(app.python_parts)
    if not hasattr(app.env, "with_python"):
        app.env.with_python = {}  # page: the names it was written with


def _outdated(app, env, added, changed, removed):
    """Pages that name parts of Python which have changed since."""
    return [
        page
        for page, names in env.with_python.items()
        if names != app.python_names
    ]


def _forget(app, env, page):
    env.with_python.pop(page, None)


def _put_benches(app, doctree):
    """Put editors in a page that has just been read: at markers, in cells."""
    page, size = app.env.docname, size_of(app.python_parts)
    number = put_in_cells(doctree, app.env.doc2path(page), size)
    for node in list(doctree.findall(nodes.raw)):
        text = node.astext()
        if found := MARKER.search(text):
            markup = markup_of(_bench(page, found[1]), number + 1, size)
        elif found := CASE.search(text):
            markup = form_of(found[1], size)
        else:
            continue
        number += 1
        node.replace_self(nodes.raw(text=markup, **node.attributes))
    if number and not app.python_parts:
        raise ExtensionError(
            f"{page}: it has an editor, but the book's folder has no vendor/, "
            "which holds Python for its pages"
        )
    if number:
        app.env.with_python[page] = app.python_names


def _bench(page, lab):
    if lab not in NAMES:
        raise ExtensionError(
            f"{page}: a workbench is of lab {shown(lab)}, but must be of one "
            f"of {', '.join(NAMES)}"
        )
    starter = PACKAGE / "labs" / f"starter_{lab}.py"
    return lab_bench(lab, starter.read_text("utf-8"))


def size_of(parts):
    """Return in words what the first click loads."""
    return f"{loaded_bytes(parts) / 1e6:.0f} MB"


def _equip(app, pagename, templatename, context, doctree):
    """Give a page with Python its scripts, and close it to other hosts."""
    if pagename not in app.env.with_python:
        return
    is_case = 'class="own-case"' in context["body"]
    for name in CASE_STYLES if is_case else STYLES:
        app.add_css_file(name)
    for name in CASE_SCRIPTS if is_case else SCRIPTS:
        app.add_js_file(name, loading_method="defer")
    data = {
        "folder": f"{'../' * pagename.count('/')}{FOLDER}/",
        "files": app.python_names,
        "size": size_of(app.python_parts),
    }
    context["metatags"] = context.get("metatags", "") + (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
    )
    context["body"] += (
        '<script type="application/json" id="inpage-assets">'
        f"{json.dumps(data)}</script>"
    )


def _publish(app, error):
    if error or app.builder.format != "html" or not app.python_parts:
        return
    licences = (Path(app.confdir) / "vendor/pyodide").glob("LICENSE-*")
    publish(app.python_parts, Path(app.outdir) / FOLDER, licences)
