"""The library's page: a picture of its floors, and what each room offers.

    ```{floors}
    ```

draws the floors of the repository's pyproject.toml,

    ```{room} labs
    :without: starter_* spec_*
    ```

lists the public functions and classes of a room, module by module; modules
of those names are left out. Both are made from the code while Sphinx reads
the page, and made again when any of it changes.
"""

import base64
import hashlib
import html
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from multilora.book.floors import contract_of, house_of
from multilora.book.rooms import room_text
from multilora.book.sources import modules, source_of
from multilora.figures.floors import draw_floors, floors_size
from multilora.figures.style import render_svg

PIXELS = 96  # to an inch
# What a file, a contract or a package that is not as it should be raises.
UNREADABLE = (OSError, ValueError, ImportError)


def setup(app):
    app.add_directive("floors", FloorsDirective)
    app.add_directive("room", RoomDirective)
    app.connect("builder-inited", _open_notes)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _forget)


class LibraryDirective(SphinxDirective):
    """A part of a page that shows the library as it is now."""

    def run(self):
        pyproject = Path(self.env.srcdir) / "pyproject.toml"
        made_from = self.env.library
        try:
            content = self.content_of(house_of(pyproject))
            if self.env.docname not in made_from:
                made_from[self.env.docname] = state_of(pyproject)
        except UNREADABLE as error:
            made_from[self.env.docname] = None  # read again next time
            raise self.error(str(error)) from None
        return content


class FloorsDirective(LibraryDirective):
    """Draws the rooms as floors, with the imports between them."""

    def content_of(self, house):
        values = {"rooms": house.rooms, "uses": house.uses}
        svg, sentence = render_svg(draw_floors, values)
        data = base64.b64encode(svg.encode()).decode()
        said = html.escape(sentence)
        width, height = (
            round(side * PIXELS) for side in floors_size(len(house.rooms))
        )
        text = (
            '<figure class="multilora floors"><img class="dark-light" '
            f'src="data:image/svg+xml;base64,{data}" alt="{said}" '
            f'width="{width}" height="{height}">'
            f"<figcaption>{said}</figcaption></figure>"
        )
        return [nodes.raw(text=text, format="html")]


class RoomDirective(LibraryDirective):
    """Lists what a room offers, and lets the search find each name."""

    required_arguments = 1
    option_spec = {"without": directives.unchanged}  # noqa: RUF012

    def content_of(self, house):
        room = self.arguments[0]
        if room not in house.rooms:
            raise ValueError(
                f"room is {room!r}, allowed: {', '.join(house.rooms)}"
            )
        without = self.options.get("without", "").split()
        content = self.parse_text_to_nodes(room_text(house, room, without))
        for part in content:
            for index in part.findall(addnodes.index):
                index["entries"] = []  # the index is of the book's words
        return content


def state_of(pyproject):
    """Return a hash of all that the page of the library is made from."""
    package, floors = contract_of(pyproject)
    texts = [package, *floors]
    texts += [name + source_of(name) for name in modules(package)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _open_notes(app):
    if not hasattr(app.env, "library"):
        app.env.library = {}


def _outdated(app, env, added, changed, removed):
    """Pages that were made from another library than the one here now."""
    if not env.library:
        return []
    pyproject = Path(env.srcdir) / "pyproject.toml"
    try:
        now = state_of(pyproject)
    except UNREADABLE:
        return list(env.library)  # the page itself says what is wrong
    return [page for page, state in env.library.items() if state != now]


def _forget(app, env, page):
    env.library.pop(page, None)
