"""The doors from Python to JavaScript, shut: only within a page."""

import sys
from importlib.abc import MetaPathFinder

DOORS = ("js", "pyodide_js", "pyodide.code", "pyodide.http", "micropip")


class _Shut(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname in DOORS:
            raise ImportError(
                f"{fullname}: Python in this page cannot reach JavaScript or "
                "the network"
            )
        return None


def close_doors() -> None:
    """Let an import of what leads to JavaScript fail with a sentence.

    This spares a reader a surprise. What keeps the page from the network is
    the worker itself and the page's Content-Security-Policy.
    """
    sys.meta_path.insert(0, _Shut())
    for name in DOORS:
        sys.modules.pop(name, None)
