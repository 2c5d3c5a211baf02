"""The command within a notebook's cell, as in a shell."""

import shlex

from multilora.arguments import text
from multilora.cli.app import Exit, whole_app


def shell(line: str) -> Exit:
    """Run a line that begins with `multilora`; print what it prints.

    Returns its Exit. Runs in this process, so that a page needs no PATH.
    Raises ValueError for another command or quotes that do not close.
    """
    try:
        words = shlex.split(text("line", line))
    except ValueError as error:
        raise ValueError(f"line is {line!r}: {error}") from None
    if not words or words[0] != "multilora":
        raise ValueError(f"line is {line!r}, but must begin with multilora")
    try:
        whole_app()(words[1:], prog_name="multilora")
    except SystemExit as ended:
        return Exit(ended.code or 0)
    return Exit.YES
