"""A room of the library as text: whom it uses, and autodoc in folds."""

import ast
from fnmatch import fnmatch

from multilora.book.autodoc import text_markup
from multilora.book.names import breakable
from multilora.book.sources import modules, source_of

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
AUTOMODULE = """
.. automodule:: {}
   :members:
   :undoc-members:
   :ignore-module-all:
   :member-order: bysource

"""


def room_text(house, room, without=()):
    """Return the Markdown of a room of a House.

    Left out are modules whose own names match a pattern of `without`, and
    a package or a `__main__` that defines nothing.
    """
    order = house.rooms[::-1]
    used = [other for other in order if other in house.uses[room]]
    users = [other for other in order if room in house.uses[other]]
    package = f"{house.package}.{room}"
    parts = [
        _raw(f'<div class="room"><p>{_rooms("Uses", used)}<br>'
             f"{_rooms('Used by', users)}</p>"),
        *(
            _module(module, house.package)
            for module in modules(package)
            if not any(fnmatch(module.split(".")[-1], p) for p in without)
        ),
        _raw("</div>"),
    ]  # fmt: skip
    return f"```{{eval-rst}}\n{''.join(parts)}\n```"


def _raw(markup):
    return f"\n.. raw:: html\n\n   {markup}\n"


def _rooms(word, names):
    links = ", ".join(f'<a href="#{name}">{name}</a>' for name in names)
    return f"<strong>{word}:</strong> {links or 'no other room'}"


def _module(module, package):
    """A module as a fold; as a line where it defines no function."""
    tree = ast.parse(source_of(module))
    purpose = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    name = module.removeprefix(f"{package}.")
    title = (
        f"<code>{breakable(name)}</code> <span>{text_markup(purpose)}</span>"
    )
    if any(map(_is_public, tree.body)):
        fold = f'<details class="module"><summary>{title}</summary>'
        return _raw(fold) + AUTOMODULE.format(module) + _raw("</details>")
    is_hollow = "." not in name or name.endswith(".__main__")
    return "" if is_hollow else _raw(f'<p class="module">{title}</p>')


def _is_public(node):
    return isinstance(node, DEFINITIONS) and not node.name.startswith("_")
