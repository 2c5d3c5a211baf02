"""Where in the learner's code, as `line 12 of starter_01.py`."""

import inspect
import linecache
import traceback
from pathlib import Path

MOST_CHARACTERS = 200  # of an error's own sentence


def definition(thing: object) -> str:
    """Return the place of the `def` or `class` line of a function or class.

    Its name in words where it has no source, as a builtin.
    """
    code = _code_of(thing)
    if code is None and inspect.isclass(thing):
        code = next(filter(None, map(_code_of, vars(thing).values())), None)
    if inspect.isclass(thing):
        try:
            _, start = inspect.getsourcelines(thing)
            return _place(inspect.getsourcefile(thing), start)
        except (OSError, TypeError):
            pass  # a class of a cell, perhaps: its first method will do
    if code is None:
        return f"your {getattr(thing, '__name__', type(thing).__name__)}"
    return _place(code.co_filename, _line_of_def(code))


def keep_place(error: BaseException, function: object) -> None:
    """Keep with an error the last line of the learner's that it left.

    That is the last one in the file of their function; where() returns it.
    """
    code = _code_of(function)
    if code is not None and where(error) is None:
        place = where_in(error, code.co_filename)
        # The attribute is ours: no type of an error knows it.
        error.learners_line = place  # type: ignore[attr-defined]


def where(error: BaseException) -> str | None:
    """Return the learner's line that raised an error, None if none did."""
    return getattr(error, "learners_line", None)


def where_in(error: BaseException, ending: str) -> str | None:
    """Return where an error left a file whose name ends so, or None."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(ending):
            return _place(frame.filename, frame.lineno)
    return None


def told(error: BaseException) -> str:
    """Return an error as one line: its type, and what it says."""
    try:
        said = " ".join(str(error).split())
    except Exception:  # a learner's own type of error, with a slip
        said = "its own text cannot be had"
    if len(said) > MOST_CHARACTERS:
        said = said[:MOST_CHARACTERS] + "…"
    return f"{type(error).__name__}: {said}".removesuffix(": ")


def _place(filename, line):
    is_cell = "ipykernel_" in filename or filename.startswith("<ipython-")
    name = "the notebook's cell" if is_cell else Path(filename).name
    return f"line {line} of {name}"


def _code_of(thing):
    if isinstance(thing, property):
        thing = thing.fget
    if isinstance(thing, staticmethod | classmethod):
        thing = thing.__func__
    thing = inspect.unwrap(getattr(thing, "func", thing))  # as of partial
    code = getattr(thing, "__code__", None)
    if code is None and not inspect.isclass(thing):
        call = vars(type(thing)).get("__call__")
        code = getattr(call, "__code__", None)
    return code


def _line_of_def(code):
    """Skip decorators, which stand above the def."""
    for line in range(code.co_firstlineno, code.co_firstlineno + 10):
        text = linecache.getline(code.co_filename, line).lstrip()
        if text.startswith(("def ", "async def ")):
            return line
    return code.co_firstlineno
