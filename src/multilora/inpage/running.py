"""Code as it was typed, run: its output, its last value, its error."""

import ast
import contextlib
import sys
import traceback
from types import TracebackType

from multilora.inpage.grading import source_text
from multilora.inpage.intact import kept_intact
from multilora.inpage.post import tell
from multilora.inpage.typed import show_lines

MOST_FRAMES = 6


def ran(source: str, file: str, first: str = "") -> bool:
    """Run a source as a program; True if it ended without an error.

    first runs before it, in the same names, as the cells above it would. The
    value of a last line that is an expression is printed, as in a notebook.
    An error is told with the lines of the source only; file is how errors
    call it. Raises ValueError for a source that is too long.
    """
    source, first = source_text(source), source_text(first)
    names: dict[str, object] = {"__name__": "__main__"}
    with kept_intact():
        return _run(first, "the cells above", names) and _run(
            source, file, names
        )


def _run(source: str, file: str, names: dict[str, object]) -> bool:
    show_lines(file, source)
    try:
        body, last = _parts(source, file)
        exec(body, names)
        value = eval(last, names) if last else None
        if value is not None:
            print(repr(value))
        return True
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() too
        with contextlib.suppress(Exception):  # whatever became of stdout
            sys.stdout.flush()
        tell("error", _told(error, file))
        return False


def _parts(source: str, file: str):
    """Return the code of a source, and that of a last expression or None."""
    tree = ast.parse(source, file)
    last = tree.body.pop() if _ends_in_a_value(tree.body) else None
    body = compile(tree, file, "exec")
    if last is None:
        return body, None
    assert isinstance(last, ast.Expr)
    return body, compile(ast.Expression(last.value), file, "eval")


def _ends_in_a_value(body) -> bool:
    return bool(body) and isinstance(body[-1], ast.Expr)


def _told(error: BaseException, file: str) -> str:
    """Return an error as Python prints it, from the source's lines on."""
    if isinstance(error, SystemExit):
        return f"Your code ended Python with exit({error.code!r}).\n"
    if isinstance(error, ModuleNotFoundError) and not _is_ours(error.name):
        return (
            f"{error.name} is not in the page: here are numpy, multilora and "
            "Python's own modules. At the desk it can be installed.\n"
        )
    own = _from(file, error.__traceback__)
    lines = traceback.format_exception(
        type(error), error, own, limit=MOST_FRAMES, chain=False
    )
    return "".join(lines)


def _is_ours(name: str | None) -> bool:
    root = (name or "").partition(".")[0]
    return root in sys.stdlib_module_names or root in ("multilora", "numpy")


def _from(file: str, frames: TracebackType | None) -> TracebackType | None:
    """Return the frames of a traceback from the first one of a file on."""
    while frames and frames.tb_frame.f_code.co_filename != file:
        frames = frames.tb_next
    return frames
