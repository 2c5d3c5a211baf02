"""A Python as the page has it: carried files, the stand-ins and numpy.

Nothing else can be imported there, as in Pyodide. Functions of page_calls
are called in it, with JSON as arguments and answers.
"""

import json
import subprocess
import sys
from pathlib import Path

from multilora.book.carried import ABSENT, STAND_INS

SUPPORT = Path(__file__).parent


class PagePython:
    """A process whose library lies in `folder`, the one above multilora."""

    def __init__(self, folder):
        stand_ins = Path(folder) / "multilora" / STAND_INS
        names = [path.stem for path in stand_ins.glob("*.py")]
        start = {
            "path": [str(stand_ins), str(folder), str(SUPPORT)],
            "absent": sorted(ABSENT),
            "here": ["multilora", "numpy", "cases", "page_calls", *names],
        }
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(SUPPORT / "page_child.py"),
             json.dumps(start)],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def call(self, name, /, **arguments):
        """Return what a function of page_calls returns there."""
        print(json.dumps([name, arguments]), file=self._process.stdin,
              flush=True)  # fmt: skip
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def end(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)
