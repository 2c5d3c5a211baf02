"""What a draw function depends on: its modules, the data, the libraries."""

import ast
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("matplotlib", "numpy")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Whoever names one of these could show a docstring, a line or its number.
READERS = {"__doc__", "__file__", "inspect", "linecache", "tokenize", "ast",
           "traceback", "sys", "f_lineno", "pydoc"}  # fmt: skip


def digest(module):
    """Return a hash of all that can change a picture of this module's.

    That is the code of the module and of every module of the package that
    it imports, directly or not, the package's data and style files, and the
    versions of matplotlib and numpy. Comments, docstrings and layout are not
    code, see code_of.
    """
    found = hashlib.sha256()
    for name in sorted(imported(module)):
        found.update(f"{name} {code_of(name)}".encode())
    found.update(_data(module.split(".")[0]))
    for library in LIBRARIES:
        found.update(f"{library} {version(library)}".encode())
    return found.hexdigest()


@cache
def code_of(module):
    """Return a module's source as its syntax tree, docstrings left out.

    The interpreter compiles no more than this tree, so nothing else can
    change a picture. A module that could read its own text or docstrings is
    returned with them.
    """
    source = source_of(module)
    tree = ast.parse(source)
    if _can_read_itself(tree):
        return source
    for node in ast.walk(tree):
        if (
            isinstance(node, DOCUMENTED)
            and ast.get_docstring(node) is not None
        ):
            del node.body[0]
    return ast.dump(tree)


def source_of(module):
    """Return the text of a module of an installed package."""
    return Path(find_spec(module).origin).read_text("utf-8")


def modules(package):
    """Return a package's name and those of all modules in it, sorted.

    A module that is no package is returned alone. Raises
    ModuleNotFoundError for a name that cannot be imported.
    """
    found = find_spec(package)
    if found is None:
        raise ModuleNotFoundError(f"there is no module {package}")
    if found.submodule_search_locations is None:
        return [package]
    folder = Path(found.origin).parent
    inside = {path.relative_to(folder).with_suffix("").parts
              for path in folder.rglob("*.py")}  # fmt: skip
    return sorted(
        ".".join([package, *(part for part in parts if part != "__init__")])
        for parts in inside
    )


def _can_read_itself(tree):
    """True if a module names what gives its docstrings or source lines."""
    fields = ("id", "attr", "module", "name", "value")  # value: getattr's text
    named = (
        getattr(node, field, None) for node in ast.walk(tree)
        for field in fields
    )  # fmt: skip
    return not READERS.isdisjoint(
        name.split(".")[0] for name in named if isinstance(name, str)
    )


def imported(module):
    """Return the module's name and those it imports from its package."""
    package = module.split(".")[0]
    seen, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _imports(name, package)
    return seen


@cache
def _imports(name, package):
    """The package's modules that this one's source names in an import."""
    return sorted(filter(_is_module, named(name, package)))


@cache
def named(module, package):
    """Return what a module's imports name of a package: full names.

    A name may be that of a module, or of a function in one.
    """
    found = set()
    for node in ast.walk(ast.parse(source_of(module))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(n for n in found if n.split(".")[0] == package)


def _is_module(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a function of a module, not a module
        return False


@cache
def _data(package):
    folder = Path(find_spec(package).origin).parent
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".csv", ".gz", ".json", ".mplstyle", ".toml"}:
            found.update(path.read_bytes())
    return found.digest()
