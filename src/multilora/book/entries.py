"""What a module offers, read in its source and never imported.

So a page can show modules whose own imports (torch, vLLM) are not here.
"""

import ast
from typing import NamedTuple

from multilora.book.sources import source_of

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Entry(NamedTuple):
    """A public function or class: its kind is that of Sphinx's Python domain.

    `signature` is the text behind the name, "" for a property; `members`
    are the Entries of a class's public methods and properties.
    """

    name: str
    kind: str
    signature: str
    doc: str
    members: tuple = ()


def entries_of(module):
    """Return (the module's docstring, Entries of what it defines itself).

    Left out is what begins with an underscore or is imported from elsewhere.
    """
    tree = ast.parse(source_of(module))
    return _doc(tree), [
        _class(node) if isinstance(node, ast.ClassDef) else _function(node)
        for node in _public(tree.body)
    ]


def _public(body):
    return [
        node
        for node in body
        if isinstance(node, (ast.ClassDef, *FUNCTIONS))
        and not node.name.startswith("_")
    ]


def _doc(node):
    return ast.get_docstring(node) or ""


def _function(node, kind="function", skip=0):
    return Entry(node.name, kind, _signature(node, skip), _doc(node))


def _class(node):
    bases = [ast.unparse(base).split(".")[-1] for base in node.bases]
    is_error = any(base.endswith(("Error", "Exception")) for base in bases)
    return Entry(
        node.name,
        "exception" if is_error else "class",
        _constructor(node, bases),
        _doc(node),
        tuple(_member(item) for item in _public(node.body)
              if isinstance(item, FUNCTIONS)),
    )  # fmt: skip


def _member(node):
    marks = _decorators(node)
    if marks & {"property", "cached_property"}:
        return Entry(node.name, "property", "", _doc(node))
    if "staticmethod" in marks:
        return _function(node, "staticmethod")
    kind = "classmethod" if "classmethod" in marks else "method"
    return _function(node, kind, skip=1)


def _decorators(node):
    """The decorators' names, without where they are from and their calls."""
    calls = [getattr(item, "func", item) for item in node.decorator_list]
    return {ast.unparse(call).split(".")[-1] for call in calls}


def _constructor(node, bases):
    """The arguments of a class: of __init__, or its fields; "" for neither."""
    for item in node.body:
        if isinstance(item, FUNCTIONS) and item.name == "__init__":
            return f"({_parameters(item.args, skip=1)})"
    if "NamedTuple" in bases or "dataclass" in _decorators(node):
        fields = map(_field, node.body)
        return f"({', '.join(text for text in fields if text)})"
    return ""


def _field(node):
    """An annotated name of a class's body as an argument; "" if it is none."""
    if not isinstance(node, ast.AnnAssign):
        return ""
    annotation, default = _type(node.annotation), node.value
    if annotation.startswith("ClassVar"):
        return ""
    if isinstance(default, ast.Call) and ast.unparse(default.func) == "field":
        given = {word.arg: word.value for word in default.keywords}
        if ast.unparse(given.get("init", default)) == "False":
            return ""
        default = given.get("default", given.get("default_factory"))
        if "default_factory" in given:
            default = ast.Constant(...)
    return _parameter(node.target.id, annotation, default)


def _signature(node, skip):
    returned = f" → {_type(node.returns)}" if node.returns else ""
    return f"({_parameters(node.args, skip)}){returned}"


def _parameters(given, skip=0):
    """A function's arguments as text, the first `skip` of them left out."""
    plain = given.posonlyargs + given.args
    missing = [None] * (len(plain) - len(given.defaults))
    texts = list(map(_argument, plain, missing + given.defaults))
    if given.posonlyargs:
        texts.insert(len(given.posonlyargs), "/")
    if given.vararg:
        texts.append("*" + _argument(given.vararg))
    elif given.kwonlyargs:
        texts.append("*")
    texts += map(_argument, given.kwonlyargs, given.kw_defaults)
    if given.kwarg:
        texts.append("**" + _argument(given.kwarg))
    return ", ".join(texts[skip:])


def _argument(node, default=None):
    annotation = node.annotation and _type(node.annotation)
    return _parameter(node.arg, annotation, default)


def _type(node):
    """An annotation as text; one in quotes, for Python alone, without them."""
    text = getattr(node, "value", None)
    return text if isinstance(text, str) else ast.unparse(node)


def _parameter(name, annotation, default):
    text = f"{name}: {annotation}" if annotation else name
    if default is None:
        return text
    equals = " = " if annotation else "="
    return text + equals + ast.unparse(default)
