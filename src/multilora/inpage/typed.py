"""A module whose source was typed into a page: in no file, on no disk."""

import importlib
import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.util import spec_from_loader


class _Text(ExecutionLoader):
    """Loads a module from text."""

    def __init__(self, source: str, file: str):
        self.source, self.file = source, file

    def get_source(self, fullname):
        return self.source

    def get_filename(self, fullname):
        return self.file


class _Finder(MetaPathFinder):
    """Finds one module, whatever lies on the disk."""

    def __init__(self, module: str, loader: _Text):
        self.module, self.loader = module, loader

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.module:
            return None
        return spec_from_loader(fullname, self.loader, origin=self.loader.file)


@contextmanager
def typed_module(module: str, source: str) -> Iterator[None]:
    """Let `import module` run this source, as long as the block lasts.

    Errors name the file as its last part with .py. What was imported under
    that name before is back afterwards.
    """
    package, _, name = module.rpartition(".")
    file = name + ".py"
    finder = _Finder(module, _Text(source, file))
    before = sys.modules.pop(module, None)
    sys.meta_path.insert(0, finder)
    show_lines(file, source)
    try:
        yield
    finally:
        sys.meta_path[:] = [one for one in sys.meta_path if one is not finder]
        sys.modules.pop(module, None)
        if before is not None:
            sys.modules[module] = before
        # An import makes a module an attribute of its package too.
        if vars(sys.modules.get(package, sys)).get(name) is not before:
            setattr(sys.modules[package], name, before)
        importlib.invalidate_caches()


def show_lines(file: str, source: str) -> None:
    """Let errors and inspect quote the lines of a source that has no file."""
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
