"""Which files of the library a page carries for the reader's browser.

A module is carried if something carried imports it, at its top or within a
function, or names it in a string; and if it can be imported there: with
numpy, the stand-ins and what Pyodide has of the standard library.
"""

import ast
import fnmatch
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from multilora.arguments import shown

ROOTS = (
    "multilora.inpage.*",
    "multilora.labs.lab0[134]",  # cells to try import from these
    "multilora.labs.spec_*",
    "multilora.labs.starter_*",
    "multilora.exercises.*",
    "multilora.matmul.*",
    "multilora.serving.term_words",
    "multilora.plan.make",
    "multilora.logs.read",
    "multilora.line.fit",
)
STAND_INS = "inpage/stand_ins"  # a folder of the package, for sys.path
DATA = (
    "data/*.json",
    "data/*.csv",
    "data/*.csv.gz",
    "models/families/*.toml",
    "data/tenants/*.json",
    "data/tenants/*/*config.json",
    "data/tenants/[!b]*/*",  # the adapters: exercises ask for their bytes
)
# Rooms that draw, print, build pages or start servers: not in a browser.
NOT_CARRIED = frozenset(
    f"multilora.{room}"
    for room in ("book", "cli", "engine", "explore", "figures")
)
# What Pyodide 0.27 lacks of the standard library, or has without its use:
# processes do not start there.
ABSENT = frozenset(
    """
    concurrent.futures.process curses dbm ensurepip fcntl grp lib2to3 lzma
    multiprocessing pty pwd readline resource sqlite3 ssl syslog termios
    tkinter tty turtle venv
    """.split()
)
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip archive's calendar


class _Imports(NamedTuple):
    """A module's file, and the full names of what it imports.

    at_top is without imports within functions. A name may be a module's, or
    of something within a module.
    """

    path: Path
    at_top: frozenset[str]
    anywhere: frozenset[str]


def carried_files(
    package: Path, roots: Iterable[str] = ROOTS
) -> dict[str, bytes]:
    """Return what a page carries of the package: bytes by name, sorted.

    package is the folder of the library itself. A name is a path from the
    folder above it, as multilora/units.py. roots are modules, or patterns
    of them, that must be there with all that they import; beside these are
    the stand-ins and the data files. Raises ValueError for a root that is
    not there, or cannot be imported in a page.
    """
    modules = _modules(package)
    stand_ins = {path.stem for path in package.glob(f"{STAND_INS}/*.py")}
    kept, lost = _importable(modules, stand_ins)
    todo, wanted = list(_roots(roots, modules, kept, lost)), set()
    while todo:
        name = todo.pop()
        if name in kept and name not in wanted:
            wanted.add(name)
            todo += [*kept[name].anywhere, name.rpartition(".")[0]]
    paths = {modules[name].path for name in wanted}
    for pattern in (*DATA, f"{STAND_INS}/*.py"):
        paths |= set(package.glob(pattern))
    above = package.parent
    names = {path.relative_to(above).as_posix(): path for path in paths}
    return {name: names[name].read_bytes() for name in sorted(names)}


def carried_zip(package: Path, roots: Iterable[str] = ROOTS) -> bytes:
    """Return carried_files as a zip archive, the same bytes each time."""
    return zipped(carried_files(package, roots))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return files, bytes by name, as a zip archive without dates."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _FIRST_DAY)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED, 9)
    return content.getvalue()


def _modules(package: Path) -> dict[str, _Imports]:
    """Return what each module of the carried rooms imports, by its name."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        own = parts[:-1] if parts[-1] == "__init__" else parts
        is_left_out = ".".join(own[:2]) in NOT_CARRIED
        if not is_left_out and not path.is_relative_to(package / STAND_INS):
            tree = ast.parse(path.read_bytes())
            named = (frozenset(_named(tree, top)) for top in (True, False))
            found[".".join(own)] = _Imports(path, *named)
    return found


def _named(node: ast.AST, at_top: bool) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{one.name}" for one in child.names)
            yield str(child.module)
        elif isinstance(child, ast.Constant):
            if not at_top and str(child.value).startswith("multilora."):
                yield child.value  # for import_module, perhaps
        elif not (at_top and _is_later(child)):
            yield from _named(child, at_top)


def _is_later(node: ast.AST) -> bool:
    """True for what does not run as its module is imported."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test).endswith("TYPE_CHECKING")
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _importable(
    modules: Mapping[str, _Imports], stand_ins: Iterable[str]
) -> tuple[dict[str, _Imports], dict[str, str]]:
    """Return those modules that can be imported in a page.

    Beside them, of each other one, an import that it would fail at.
    """
    foreign = {"numpy", "multilora", *stand_ins, *sys.stdlib_module_names}
    kept, lost = dict(modules), {}
    while True:
        failing = {
            name: one
            for name, imports in kept.items()
            for one in (*imports.at_top, name.rpartition(".")[0])
            if _is_without(one, modules, kept, foreign)
        }
        if not failing:
            return kept, lost
        lost |= failing
        for name in failing:
            del kept[name]


def _is_without(name, modules, kept, foreign) -> bool:
    """True for an import that fails where only kept and foreign are."""
    parts = name.split(".")
    heads = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return bool(
        heads & (ABSENT | NOT_CARRIED)
        or (heads & modules.keys()) - kept.keys()
        or parts[0] not in {"", *foreign}
    )


def _roots(patterns, modules, kept, lost) -> Iterator[str]:
    for pattern in patterns:
        found = fnmatch.filter(modules, pattern)
        if not found:
            raise ValueError(
                f"roots holds {shown(pattern)}: no module is called so"
            )
        for name in found:
            chain = [name]
            while chain[-1] in lost:
                chain.append(lost[chain[-1]])
            if name not in kept:
                raise ValueError(
                    f"roots holds {shown(name)}, which a page cannot import: "
                    + ", which imports ".join(chain[1:])
                )
            yield name
