"""What a page may call, by name: JSON in, JSON out."""

import contextlib
import io
import json
import sys
from collections.abc import Callable, Mapping

from multilora.arguments import choice
from multilora.inpage.grading import graded
from multilora.inpage.post import tell
from multilora.inpage.running import ran
from multilora.labs.checks import report


def grade(lab: str, source: str) -> dict[str, object]:
    """Return how a starter does: lines, as `make grade` has them, and counts.

    Raises ValueError as grading.graded does.
    """
    outcomes = graded(lab, source)
    return {
        "lines": report(outcomes).split("\n")[:-1],
        "score": report(outcomes).rpartition("\n")[2],
        "verdicts": [item.verdict for item in outcomes],
    }


def run(source: str, file: str, first: str = "") -> dict[str, object]:
    """Run code as running.ran does; say whether it ended without an error."""
    return {"is_ok": ran(source, file, first)}


def own_case(**options: object) -> dict[str, object]:
    """Return the answer to a reader's own case, as case.own_case does."""
    from multilora.inpage import case  # a page of a lab never needs it

    return case.own_case(**options)  # type: ignore[arg-type]


CALLS: Mapping[str, Callable] = {
    "grade": grade,
    "run": run,
    "own_case": own_case,
}


def call(name: str, arguments: str) -> str:
    """Call one of CALLS with JSON's arguments; return JSON.

    It holds "value", or "refused" with a sentence. What the call prints goes
    to the page.
    """
    try:
        function = CALLS[choice("name", name, CALLS)]
        with _streams_told():
            value = function(**json.loads(arguments))
    except (ValueError, TypeError) as error:
        return json.dumps({"refused": str(error)})
    return json.dumps({"value": value})


@contextlib.contextmanager
def _streams_told():
    out, errors = _Told("out"), _Told("error")
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(errors),
        ):
            yield
    finally:
        out.flush()
        errors.flush()


class _Told(io.TextIOBase):
    """A stream whose text goes to the page, as soon as a line is whole."""

    def __init__(self, kind: str):
        self.kind, self.line = kind, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.line += text
        if "\n" in text or len(self.line) > 2_000:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.line:
            tell(self.kind, self.line)
        self.line = ""

    def close(self) -> None:
        self.flush()
        super().close()


def versions() -> str:
    """Return what runs here, for the page's small print."""
    import numpy as np

    return f"Python {sys.version.split()[0]}, numpy {np.__version__}"
