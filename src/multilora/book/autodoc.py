"""How Sphinx's autodoc shows this library.

Its docstrings are plain text, with code between backticks. Its public names
are the functions and classes that a module defines, and their methods and
properties. A signature is one line of text: Sphinx's own markup, with links to
types, makes the library's page 1.25 MB instead of 0.35 MB.
"""

import ast
import html
import re
from importlib.util import find_spec
from inspect import getsource
from textwrap import dedent, indent

from docutils import nodes
from sphinx import addnodes
from sphinx.util import inspect

from multilora.book.names import breakable

CODE = re.compile(r"``?([^`]+)``?")
UNWRITTEN = re.compile(r"<(?:class '(\w+)'|\w+)>")  # a field's default


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("config-inited", _mock_what_is_missing)
    app.connect("autodoc-skip-member", _is_left_out)
    app.connect("autodoc-process-signature", _as_written)
    app.connect("autodoc-process-docstring", _as_plain_text)
    app.connect("object-description-transform", _lighten)


def text_markup(words):
    """Return a paragraph of a docstring as HTML."""
    text = html.escape(" ".join(words.split()), quote=False)
    return CODE.sub(r"<code>\1</code>", text)


def _mock_what_is_missing(app, config):
    """So that no module keeps a mock of what the explorers could use."""
    config.autodoc_mock_imports = [
        name for name in config.autodoc_mock_imports if find_spec(name) is None
    ]


def _is_left_out(app, what, name, member, skip, options):
    """Constants, fields, and what is defined under another name."""
    made_of = getattr(member, "fget", getattr(member, "func", member))
    is_definition = inspect.isroutine(made_of) or inspect.isclass(made_of)
    if not is_definition or made_of.__name__ != name:
        return True
    return None  # as autodoc has decided


def _as_written(app, what, name, thing, options, arguments, returned):
    """Types as the source names them; of a class only its own arguments."""
    if not arguments:
        return None
    if inspect.isclass(thing):
        own = [n for n in ("__init__", "__new__") if n in vars(thing)]
        if not own or getattr(thing, "_is_protocol", False):
            return "", None
        thing = getattr(thing, own[0])
    try:
        tree = ast.parse(dedent(getsource(thing)))
    except OSError:  # a dataclass or a NamedTuple wrote it
        return UNWRITTEN.sub(lambda m: m[1] or "...", arguments), None
    written = inspect.signature_from_ast(tree.body[0])
    given = [item for item in written.parameters.values()
             if item.name not in ("self", "cls")]  # fmt: skip
    text = inspect.stringify_signature(written.replace(parameters=given))
    arguments, _, after = text.partition(" -> ")
    return arguments, returned and after


def _as_plain_text(app, what, name, thing, options, lines):
    """Paragraphs as they are; a module's first one is the fold's title."""
    parts = re.split(r"\n\s*\n", "\n".join(lines).strip())
    shown = map(_paragraph, parts[1:] if what == "module" else parts)
    markup = indent("".join(shown), "   ")
    raw = ["", ".. raw:: html", "", *markup.split("\n"), ""]
    lines[:] = raw if markup else []


def _paragraph(part):
    """A paragraph; one with an indented line or a table keeps its lines."""
    if re.search(r"^ +|  +", part, re.MULTILINE):
        return f"<pre>{html.escape(part, quote=False)}</pre>"
    return part and f"<p>{text_markup(part)}</p>"


def _lighten(app, domain, kind, content):
    """Make a signature one line of code, without links to types."""
    for signature in content.parent.findall(addnodes.desc_signature):
        if signature.parent is content.parent:
            text = "".join(map(_part, signature))
            signature.clear()
            signature += nodes.raw(text=f"<code>{text}</code>", format="html")
            signature["is_multiline"] = True  # so it gets no permalink


def _part(node):
    text = html.escape(node.astext().replace(" -> ", " → "), quote=False)
    if isinstance(node, addnodes.desc_annotation) and text[0] != ":":
        return f"<em>{text}</em>"
    if isinstance(node, addnodes.desc_name):
        return f"<b>{breakable(text)}</b>"
    return "" if isinstance(node, addnodes.desc_addname) else text
