"""What typed code replaced in Python or in the library, put back."""

import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from multilora.inpage.post import tell

WATCHED = ("multilora", "numpy", "json", "math")
MOST_NAMED = 3


@contextmanager
def kept_intact() -> Iterator[None]:
    """Put back, after the block, what it replaced, and tell which names.

    Watched are the builtins and the attributes of modules that were imported
    before: those of multilora, numpy, json and math. A page runs code again
    and again in one Python, so a changed library would grade the next try.
    """
    before = {module: dict(vars(module)) for module in _watched()}
    try:
        yield
    finally:
        changed = [
            name
            for module, kept in before.items()
            for name in _restored(module, kept)
        ]
        if changed:
            more = f" and {len(changed) - MOST_NAMED} more"
            tell("error", (
                "Your code replaced " + ", ".join(changed[:MOST_NAMED])
                + (more if len(changed) > MOST_NAMED else "")
                + ". That was put back, and the result above may be wrong.\n"
            ))  # fmt: skip


def _watched() -> list[ModuleType]:
    return [builtins] + [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType)
        and name.partition(".")[0] in WATCHED
        and not name.startswith("multilora.labs.starter_")
    ]


def _restored(module: ModuleType, kept: dict[str, object]) -> list[str]:
    """Put a module's attributes back; return the names of the changed ones.

    New attributes remain: importing a part of a package adds one.
    """
    now = vars(module)
    changed = [
        name
        for name, value in kept.items()
        if now.get(name, _NOTHING) is not value and name != "_"
    ]
    for name in changed:
        now[name] = kept[name]
    return [f"{module.__name__}.{name}" for name in changed]


_NOTHING = object()
