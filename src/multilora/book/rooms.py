"""A room of the library as HTML: whom it uses, its modules, their names."""

import html
import re

from multilora.book.names import breakable

CODE = re.compile(r"``?([^`]+)``?")
PLAIN = ("function", "method")  # whose kind their brackets say


def room_markup(package, room, uses, contents):
    """Return the markup of a room.

    uses is {room: the rooms that it imports from}, in the order in which
    they shall be named; contents is {module: (docstring, its Entries)}.
    """
    users = [other for other, used in uses.items() if room in used]
    used = [other for other in uses if other in uses[room]]
    parts = [
        f'<p class="uses">{_rooms("Uses", used, "no other room")}<br>'
        f"{_rooms('Used by', users, 'no other room')}</p>"
    ]
    parts += [
        _module(package, module, *found) for module, found in contents.items()
    ]
    return f'<div class="room">{"".join(parts)}</div>'


def _rooms(word, names, none):
    links = ", ".join(f'<a href="#{name}">{name}</a>' for name in names)
    return f"<strong>{word}:</strong> {links or none}"


def _module(package, module, doc, entries):
    """A module as a fold; as a line where it defines no function."""
    purpose, _, more = doc.partition("\n\n")
    name = breakable(module.removeprefix(f"{package}."))
    title = f"<code>{name}</code> <span>{_text(purpose)}</span>"
    if not entries:
        return f'<p class="module" id="{module}">{title}</p>'
    listed = "".join(_entry(module, entry) for entry in entries)
    return (
        f'<details class="module" id="{module}"><summary>{title}</summary>'
        f"{_paragraphs(more)}<dl>{listed}</dl></details>"
    )


def _entry(place, entry):
    """A name with its signature, its docstring, and what is in it."""
    name = f"{place}.{entry.name}"
    before = "" if entry.kind in PLAIN else f"<em>{entry.kind}</em> "
    said = _paragraphs(entry.doc)
    if entry.members:
        inside = "".join(_entry(name, member) for member in entry.members)
        said += f"<dl>{inside}</dl>"
    return (
        f'<dt id="{name}"><code>{before}<b>{breakable(entry.name)}</b>'
        f"{html.escape(entry.signature, quote=False)}</code></dt>"
        f"<dd>{said}</dd>"
    )


def _paragraphs(doc):
    """A docstring's paragraphs; one with an indented line keeps its lines."""
    parts = [part.strip("\n") for part in re.split(r"\n\s*\n", doc) if part]
    return "".join(
        f"<pre>{html.escape(part, quote=False)}</pre>"
        if re.search(r"^ +|  +", part, re.MULTILINE)
        else f"<p>{_text(part)}</p>"
        for part in parts
    )


def _text(words):
    """A paragraph of a docstring: plain text, and code between backticks."""
    text = html.escape(" ".join(words.split()), quote=False)
    return CODE.sub(r"<code>\1</code>", text)
