"""What a learner hands over, taken as a number, a list or results.

Whatever the object does when it is looked at, it ends as a plain value, a
SlipError with a sentence, or NotAttemptedError for nothing yet.
"""

import copy
import inspect
import numbers
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice

from multilora.arguments import is_array
from multilora.exercises.compare import (
    is_finite,
    is_number,
    one_line,
    same,
    told,
)
from multilora.labs.guards import is_stub
from multilora.labs.switch import NotAttemptedError, SlipError, require

MOST = 1000  # entries of a list or a set, before we stop counting


def results(answer: object, cases: Sequence[tuple]) -> list:
    """Return what a learner's function gives for each case.

    It gets copies. Raises NotAttemptedError for an untouched stub, SlipError
    for what is no function, raises, returns nothing or changes its input.
    """
    if answer is None:
        raise NotAttemptedError("not attempted yet")
    is_function = callable(answer) and not inspect.isclass(answer)
    kind = "a class" if inspect.isclass(answer) else told(answer)
    require(is_function, f"{kind} is no function; hand over the function")
    found = [_result(answer, case) for case in cases]
    if all(result is None for result in found):
        if is_stub(answer):
            raise NotAttemptedError("not attempted yet")
        raise SlipError("it returned nothing: is a `return` missing?")
    for case, result in zip(cases, found, strict=True):
        none = f"{told(case)} gave None: it ended without a `return`"
        require(result is not None, none)
    return found


def one_number(answer: object) -> float:
    """Return the answer if it is one finite number."""
    if answer is None or answer is Ellipsis:
        raise NotAttemptedError("not attempted yet")
    if callable(answer):
        raise SlipError("a number is wanted: call your function, or print it")
    if is_array(answer) or not hasattr(answer, "__float__"):
        raise SlipError(f"{told(answer)} is no number; one is wanted")
    value = _plain(answer)
    require(is_number(value), f"{told(answer)} is no number; one is wanted")
    is_whole = isinstance(value, numbers.Integral)
    require(is_whole or is_finite(value), f"{told(answer)} is not finite")
    return value


def _plain(answer):
    """Return a number of numpy's or a Decimal as Python's own."""
    try:
        if isinstance(answer, Decimal):
            return float(answer)
        return answer.item() if hasattr(answer, "item") else answer
    except Exception:  # an object that only looks like a number
        return None


def several(answer: object, kind: type[list] | type[set]) -> list | set:
    """Return the answer as a list or a set, if it is one."""
    if answer is None or answer is Ellipsis:
        raise NotAttemptedError("not attempted yet")
    is_other = isinstance(answer, str | bytes | Mapping)
    is_other = is_other or inspect.isclass(answer)
    if is_other or not isinstance(answer, Iterable):
        raise SlipError(f"{told(answer)} is no {kind.__name__}")
    if kind is list and isinstance(answer, set | frozenset):
        raise SlipError("that is a set, but the order counts: give a list")
    row = answer.tolist() if is_array(answer) else answer
    try:
        found = kind(islice(row, MOST + 1))
    except Exception:  # a set of lists, an iterator that raises
        raise SlipError(f"{told(answer)} is no {kind.__name__}") from None
    require(len(found) <= MOST, f"more than {MOST} entries")
    return found


def _result(function, case):
    given = copy.deepcopy(case)
    try:
        result = function(*given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() too
        raise SlipError(f"{told(case)} raised {_reason(error)}") from None
    unchanged = all(map(same, given, case))
    require(unchanged, f"{told(case)}: an argument was changed in place")
    return _as_returned(result)


def _reason(error):
    try:
        text = one_line(str(error), 150)
    except Exception:  # an error that cannot say what it is
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _as_returned(result):
    """A copy: a list that the next call goes on filling is not the answer."""
    try:
        return copy.deepcopy(result)
    except Exception:  # a generator
        return result
