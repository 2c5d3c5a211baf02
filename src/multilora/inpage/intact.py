"""What typed code replaced in Python or in the library, put back."""

import builtins
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType

from multilora.inpage.post import tell

WATCHED = ("multilora", "numpy", "json", "math")
MOST_NAMED = 3
Kept = Mapping[str, object]


@contextmanager
def kept_intact() -> Iterator[None]:
    """Put back, after the block, what it replaced, and tell which names.

    Watched are the builtins, the attributes of modules that were imported
    before, those of multilora, numpy, json and math, and of multilora's
    classes, and by what Python imports. A page runs code again and again in
    one Python, so a changed library would grade the next try.
    """
    before: dict[ModuleType | type, dict[str, object]] = {
        thing: dict(vars(thing)) for thing in _watched()
    }
    modules = dict(sys.modules)
    lists = {name: list(getattr(sys, name)) for name in _LISTS}
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        changed = [*_imports_restored(modules, lists)] + [
            name
            for thing, kept in before.items()
            for name in _restored(thing, kept)
        ]
        if changed:
            more = f" and {len(changed) - MOST_NAMED} more"
            tell("error", (
                "Your code replaced " + ", ".join(changed[:MOST_NAMED])
                + (more if len(changed) > MOST_NAMED else "")
                + ". That was put back, and the result above may be wrong.\n"
            ))  # fmt: skip


def _watched() -> list[ModuleType | type]:
    modules = [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType)
        and name.partition(".")[0] in WATCHED
        and not name.startswith("multilora.labs.starter_")
    ]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__.startswith("multilora.")
        and not value.__module__.startswith("multilora.labs.starter_")
    }
    return [builtins, *modules, *classes]


def _imports_restored(
    modules: Mapping[str, ModuleType], lists: Mapping
) -> Iterator[str]:
    for name in _LISTS:
        now = getattr(sys, name)
        if now[:] != lists[name]:
            now[:] = lists[name]
            yield f"sys.{name}"
    lost = [
        name
        for name, module in modules.items()
        if sys.modules.get(name) is not module
        and not name.startswith("multilora.labs.starter_")
    ]
    if lost:
        sys.modules |= {name: modules[name] for name in lost}
        yield "sys.modules"


def _restored(thing: ModuleType | type, kept: Kept) -> list[str]:
    """Put a thing's attributes back; return the names of the changed ones.

    New attributes remain: importing a part of a package adds one.
    """
    now = vars(thing)
    changed = [
        name
        for name, value in kept.items()
        if now.get(name, _NOTHING) is not value and name not in _ITS_OWN
    ]
    for name in changed:
        with suppress(AttributeError, TypeError):  # of a class: not writable
            setattr(thing, name, kept[name])
    home = f"{thing.__module__}." if isinstance(thing, type) else ""
    return [f"{home}{thing.__name__}.{name}" for name in changed]


_NOTHING = object()
_LISTS = ("meta_path", "path", "path_hooks")
# What Python itself changes: the last value, and counts of abstract classes.
_ITS_OWN = ("_", "_abc_impl", "__doc__", "__annotations__", "__weakref__")
