"""Explorers of a page: stored figures become sliders over drawn frames.

A notebook's stored explorer names its draw function and its axes. Here it is
drawn at every combination of stops while Sphinx reads the page, and replaced
by native sliders, which explorer.js moves. The directive

    ```{explorer} ../notebooks/lab.ipynb draw_name
    ```

puts the explorer of a notebook on another page.
"""

import html
import json
import re
from collections import Counter
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from multilora.book.frames import FrameStore
from multilora.book.markup import figure
from multilora.book.sources import digest
from multilora.explore.explorer import Explorer

FOLDER = "_frames"
STORED = re.compile(r'data-explore="([^"]*)"')
logger = logging.getLogger(__name__)


def setup(app):
    app.add_directive("explorer", ExplorerDirective)
    app.add_js_file("explorer.js", loading_method="defer")
    app.connect("builder-inited", _open_store)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _forget)
    app.connect("doctree-read", _put_sliders)
    app.connect("build-finished", _publish)


class ExplorerDirective(SphinxDirective):
    """Puts the explorer of a stored notebook on this page."""

    required_arguments = 2

    def run(self):
        path, name = self.arguments
        notebook = Path(self.env.doc2path(self.env.docname)).parent / path
        self.env.note_dependency(str(notebook))
        try:
            found = stored_explorers(notebook)
        except (OSError, ValueError) as error:
            raise self.error(f"{path}: {error}") from None
        for explorer, page in found:
            if explorer.draw.__name__ == name:
                return [nodes.raw(text=page, format="html")]
        raise self.error(f"{path} stores no explorer of {name}")


def stored_explorers(notebook):
    """Return (explorer, stored page) for each one that a notebook stores.

    Raises OSError or ValueError for a file that is not there or no notebook.
    """
    stored = json.loads(Path(notebook).read_text("utf-8"))
    if not isinstance(stored, dict) or "cells" not in stored:
        raise ValueError(f"{notebook} is no notebook: it has no cells")
    outputs = [o for cell in stored["cells"] for o in cell.get("outputs", [])]
    pages = ["".join(o.get("data", {}).get("text/html", "")) for o in outputs]
    return [
        (_explorer(found[1]), page)
        for page in pages
        if (found := STORED.search(page))
    ]


def _explorer(attribute):
    return Explorer.from_json(html.unescape(attribute))


def _open_store(app):
    app.frame_store = FrameStore(Path(app.doctreedir).parent / "frames")
    if not hasattr(app.env, "explorers"):
        app.env.explorers = {}


def _outdated(app, env, added, changed, removed):
    """Pages whose explorers would be drawn otherwise than last time."""
    return [
        page
        for page, drawn in env.explorers.items()
        if any(_is_stale(app, text, key) for text, key, _ in drawn)
    ]


def _is_stale(app, text, key):
    try:
        return _page_key(app, Explorer.from_json(text)) != key
    except ValueError:  # its draw function is gone
        return True


def _page_key(app, explorer):
    """What changes when an explorer's frames, words or markup may change."""
    return app.frame_store.key(explorer) + digest(figure.__module__)


def _forget(app, env, page):
    env.explorers.pop(page, None)


def _put_sliders(app, doctree):
    """Replace each stored explorer of a page that has just been read."""
    page = app.env.docname
    folder = "../" * page.count("/") + FOLDER
    drawn, names = [], Counter()
    for node in list(doctree.findall(nodes.raw)):
        found = STORED.search(node.astext())
        if not found:
            continue
        try:
            explorer = _explorer(found[1])
            frames = app.frame_store.frames_of(explorer)
        except Exception as error:
            notes = " ".join(getattr(error, "__notes__", []))
            raise ExtensionError(
                f"an explorer of {page}: {error} {notes}"
            ) from error
        names[explorer.name] += 1
        number = names[explorer.name]
        name = explorer.name + (f"-{number}" if number > 1 else "")
        markup = figure(explorer, frames, folder, name)
        node.replace_self(nodes.raw(text=markup, **node.attributes))
        pictures = [picture for picture, _ in frames]
        key = _page_key(app, explorer)
        drawn.append((explorer.to_json(), key, pictures))
    if drawn:
        app.env.explorers[page] = drawn


def _publish(app, error):
    if error or app.builder.format != "html":
        return
    names = {
        name
        for drawn in app.env.explorers.values()
        for _, _, pictures in drawn
        for name in pictures
    }
    app.frame_store.publish(names, Path(app.outdir) / FOLDER)
    logger.info(
        "%d frames drawn, %d pictures in the book",
        app.frame_store.num_drawn,
        len(names),
    )
