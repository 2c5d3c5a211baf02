"""Checks of arguments: each error names argument, value and what is allowed.

TypeError is for a value of the wrong kind, ValueError for a wrong value.
"""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence, Set
from types import UnionType
from typing import TypeGuard, TypeVar

import numpy as np

T = TypeVar("T")

# A list of names, in an order or in any.
Names = Sequence[str] | set[str] | frozenset[str]

MAX_SHOWN = 60


def shown(value: object) -> str:
    """Return a short repr of a value for an error message."""
    text = f"array of shape {value.shape}" if is_array(value) else repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def printable(text: str) -> str:
    """Return text with what would move a terminal's cursor written out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def is_array(value: object) -> TypeGuard[np.ndarray]:
    return isinstance(value, np.ndarray) and value.ndim > 0


def is_integer(value: object) -> TypeGuard[int]:
    """True for an int or a numpy integer, false for bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def integer(
    name: str,
    value: object,
    minimum: int | None = None,
    maximum: int | None = None,
) -> int:
    """Return value as an int, or raise an error that names it."""
    if type(value) is int and (minimum is None or value >= minimum):
        if maximum is None or value <= maximum:
            return value  # the usual case, without building a sentence
    allowed = _range_text("an integer", minimum, maximum)
    if not is_integer(value):
        raise TypeError(f"{name} is {shown(value)}, but must be {allowed}")
    _check_range(name, value, minimum, maximum, allowed)
    return int(value)


def finite_number(
    name: str,
    value: object,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
) -> float:
    """Return value as a float, or raise an error that names it."""
    allowed = _range_text("a finite number", minimum, maximum, above)
    is_truth = isinstance(value, (bool, np.bool_))
    if is_truth or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {shown(value)}, but must be {allowed}")
    if not math.isfinite(value) or (above is not None and value <= above):
        raise ValueError(f"{name} is {shown(value)}, but must be {allowed}")
    _check_range(name, value, minimum, maximum, allowed)
    return float(value)


def choice(name: str, value: object, allowed: Iterable[T]) -> T:
    """Return value if it is one of allowed, or raise an error."""
    allowed = list(allowed)
    if not _is_one_of(value, allowed):
        options = ", ".join(repr(option) for option in allowed)
        raise ValueError(f"{name} is {shown(value)}, allowed: {options}")
    return value


def _is_one_of(value: object, allowed: Sequence[T]) -> TypeGuard[T]:
    return isinstance(value, str | int | bool) and value in allowed


def text(name: str, value: object) -> str:
    """Return value if it is a str, or raise TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {shown(value)}, but must be a str")
    return value


def items(name: str, value: Iterable[T], kind: type | UnionType) -> list[T]:
    """Return the items of an iterable as a list, each an instance of kind."""
    kind_text = getattr(kind, "__name__", str(kind))
    allowed = f"a sequence of {kind_text}"
    no_row = isinstance(value, str | bytes | Mapping | Set)
    no_row = no_row or not isinstance(value, Iterable)
    if no_row or (isinstance(value, np.ndarray) and value.ndim == 0):
        raise TypeError(f"{name} is {shown(value)}, but must be {allowed}")
    value = list(value)
    for item in value:
        if not isinstance(item, kind):
            raise TypeError(
                f"{name} holds {shown(item)}, but must be {allowed}"
            )
    return value


def names(name: str, value: Names) -> list[str]:
    """Return a non-empty list of strings, or raise an error."""
    is_list = isinstance(value, Sequence | set | frozenset)
    if isinstance(value, str | bytes) or not is_list:
        raise TypeError(
            f"{name} is {shown(value)}, but must be a list of names"
        )
    value = sorted(value) if isinstance(value, set | frozenset) else value
    if not value or not all(isinstance(item, str) for item in value):
        raise ValueError(
            f"{name} is {shown(value)}, but must hold names, at least one"
        )
    return list(value)


def matrix(name: str, value: object, shape_text: str) -> np.ndarray:
    """Return value as a real 2-D array with at least one row and column.

    Integers and booleans become float64; float dtypes are kept. A subclass
    of ndarray is kept, so that a caller can count what is done with it.
    """
    array = real_array(name, value, shape_text)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, but must be {shape_text} "
            "with at least one row and one column"
        )
    return array


def any_array(value: object) -> np.ndarray:
    """Return value as an array; what numpy refuses as one of objects."""
    try:
        return np.asanyarray(value)
    except ValueError:  # rows of different lengths
        return np.asanyarray(None)


def integer_array(name: str, value: object, allowed: str) -> np.ndarray:
    """Return value as an int64 array, or raise an error that names it."""
    array = any_array(value)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a MaskedArray, but must be {allowed}")
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name} is {shown(value)}, but must be {allowed}")
    if array.dtype == np.uint64 and array.size and array.max() >= 2**63:
        raise ValueError(
            f"{name} holds {array.max()}, but must be {allowed}, below 2**63"
        )
    return np.asarray(array).astype(np.int64, copy=False)


def real_array(
    name: str, value: object, shape_text: str = "an array"
) -> np.ndarray:
    """Return value as a floating array, or raise an error that names it."""
    array = any_array(value)
    if isinstance(array, np.matrix | np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a {type(array).__name__}, but must be a plain array"
        )
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise TypeError(
            f"{name} is {shown(value)}, but must be {shape_text} "
            "of real numbers"
        )
    return array


def require_finite(name: str, array: np.ndarray) -> None:
    """Raise ValueError if array holds NaN or infinity; say how many."""
    num_bad = int(array.size - np.count_nonzero(np.isfinite(array)))
    if num_bad:
        raise ValueError(
            f"{name} holds {num_bad} NaN or infinite values of {array.size}; "
            "all must be finite"
        )


def _range_text(kind, minimum, maximum, above=None):
    if above is not None:
        return f"{kind} above {above}"
    if minimum is not None and maximum is not None:
        return f"{kind} from {minimum} to {maximum}"
    if minimum is not None:
        return f"{kind} of at least {minimum}"
    if maximum is not None:
        return f"{kind} of at most {maximum}"
    return kind


def _check_range(name, value, minimum, maximum, allowed):
    too_small = minimum is not None and value < minimum
    too_large = maximum is not None and value > maximum
    if too_small or too_large:
        raise ValueError(f"{name} is {shown(value)}, but must be {allowed}")
