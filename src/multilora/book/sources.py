"""What a draw function depends on: its modules, the data, the libraries."""

import ast
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("matplotlib", "numpy")


def digest(module):
    """Return a hash of all that can change a picture of this module's.

    That is the source of the module and of every module of the package that
    it imports, directly or not, the package's data and style files, and the
    versions of matplotlib and numpy.
    """
    found = hashlib.sha256()
    for name in sorted(imported(module)):
        found.update(Path(find_spec(name).origin).read_bytes())
    found.update(_data(module.split(".")[0]))
    for library in LIBRARIES:
        found.update(f"{library} {version(library)}".encode())
    return found.hexdigest()


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
    tree = ast.parse(Path(find_spec(name).origin).read_text("utf-8"))
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named.add(node.module)
            named |= {f"{node.module}.{alias.name}" for alias in node.names}
    inside = (n for n in named if n.split(".")[0] == package)
    return sorted(filter(_is_module, inside))


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
        if path.suffix in {".json", ".mplstyle"}:
            found.update(path.read_bytes())
    return found.digest()
