"""The command within a notebook's cell, as in a shell."""

import io
import os
import re
import shlex
import textwrap
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from multilora.arguments import integer, text
from multilora.cli.app import Exit, whole_app
from multilora.cli.show import PAGE_WIDTH

HANG = re.compile(r" *(?:- |\S+ {2,})|")


def shell(line: str, most_lines: int | None = None) -> None:
    """Run a line that begins with `multilora`; print what it prints.

    Lines are those of a terminal of PAGE_WIDTH letters, errors among them; of
    more than most_lines, the rest is counted. An exit status other than
    0 is told at the end. It runs in this process, so that a page needs no
    PATH.
    Raises ValueError for another command, quotes that do not close, or
    most_lines below 1.
    """
    if most_lines is not None:
        most_lines = integer("most_lines", most_lines, 1)
    try:
        words = shlex.split(text("line", line))
    except ValueError as error:
        raise ValueError(f"line is {line!r}: {error}") from None
    if not words or words[0] != "multilora":
        raise ValueError(f"line is {line!r}, but must begin with multilora")
    printed = io.StringIO()
    with (
        _plain_terminal(),
        redirect_stdout(printed),
        redirect_stderr(printed),
    ):
        try:
            whole_app()(words[1:], prog_name="multilora")
            status = Exit.YES
        except SystemExit as ended:
            status = Exit(ended.code or 0)
    whole = printed.getvalue().removesuffix("\n")
    lines = [
        one
        for line in whole.split("\n")
        for one in _folded(line.rstrip()).split("\n")
    ]
    print(*lines[:most_lines], sep="\n")
    if most_lines is not None and len(lines) > most_lines:
        print(f"(and {len(lines) - most_lines} more lines)")
    if status is not Exit.YES:
        print(f"(exit status {int(status)})")


@contextmanager
def _plain_terminal():
    """Tell rich how wide a line may be, and that there are no colours.

    Jupyter asks for colours, which a page would show as letters.
    """
    wanted = {"COLUMNS": str(PAGE_WIDTH), "FORCE_COLOR": "", "TERM": "dumb"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _folded(line: str) -> str:
    """Fold a line that is too long, below its own text."""
    if len(line) <= PAGE_WIDTH:
        return line
    indent = " " * len(HANG.match(line)[0])
    return textwrap.fill(
        line, PAGE_WIDTH, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip
