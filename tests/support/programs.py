"""This Python as a program of its own."""

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
