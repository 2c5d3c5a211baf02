"""This Python as a program of its own, and Sphinx in it."""

import os
import subprocess
import sys


def python(*arguments, cwd=None, timeout=None, **environment):
    """Run this Python to its end; return its CompletedProcess, as text.

    Keywords are variables of its environment, beside those of this process.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=timeout,
        env=os.environ | environment,
    )


def sphinx(folder, *options):
    """Build the small book in a folder, warnings as errors, into _build."""
    build = folder / "_build"
    return python(
        "-m", "sphinx", "-W", *options, "--keep-going", "-b", "html",
        "-d", build / "trees", folder, build / "html", PYTHONPATH=str(folder),
    )  # fmt: skip
