"""Answers compared: equal or not, how far off, and said in a few words."""

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np

from multilora.arguments import any_array, shown
from multilora.models.shapes import ModelShape


def same(mine: object, right: object) -> bool:
    """True if an answer equals the right one; floats up to rounding.

    Lists, tuples and arrays of equal items are equal. What cannot be
    compared is not the same. float32 has its own, coarser rounding.
    """
    try:
        return bool(_same(mine, right))
    except Exception:  # a learner's object may refuse anything
        return False


def _same(mine, right):
    if isinstance(right, Mapping):
        if not isinstance(mine, Mapping) or mine.keys() != right.keys():
            return False
        return all(_same(mine[key], right[key]) for key in right)
    if isinstance(right, np.ndarray) and right.dtype.kind == "f":
        if np.shape(mine) != right.shape:
            return False
        error = _rounding(mine)  # of sums, so of the largest number too
        atol = error * np.abs(right).max(initial=0)
        return np.allclose(mine, right, rtol=error, atol=atol)
    if is_row(right):
        pairs = is_row(mine) and len(mine) == len(right)
        return pairs and all(map(_same, mine, right))
    if isinstance(right, str):
        return mine.strip().casefold() == right.casefold()
    if not is_number(right):
        return type(mine) is type(right) and mine == right
    if not is_number(mine):
        return False
    if isinstance(right, numbers.Integral):
        return mine == right
    close = np.isclose(float(mine), float(right), _rounding(mine), 1e-12)
    return bool(close)


def _rounding(mine):
    """The relative error that an answer's own type may make."""
    return 1e-6 if getattr(mine, "dtype", None) == np.float32 else 1e-9


def is_row(value: object) -> bool:
    """True for a list, a tuple or an array with rows."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def is_number(value: object) -> TypeGuard[float]:
    """True for a real number that is no bool."""
    is_bool = isinstance(value, bool | np.bool_)
    return isinstance(value, numbers.Real) and not is_bool


def is_finite(value: object) -> TypeGuard[float]:
    """True for a real number that a float can hold."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:  # an int of hundreds of digits
        return False


def distance(mine: object, right: object) -> str:
    """Say how far off a wrong answer is, without saying what is right."""
    if not is_number(right):
        try:
            return _mismatch(mine, right)
        except Exception:  # a row that cannot be counted
            return _wanted(right)
    if not is_number(mine):
        return "a number is wanted"
    if not is_finite(mine):
        return _endless(mine)
    if isinstance(right, numbers.Integral) and mine != int(mine):
        return "a whole number is wanted"
    mine, right = float(mine), float(right)
    if right == 0 or mine * right <= 0:
        return "too large" if mine > right else "too small"
    side = "too large" if mine > right else "too small"
    factor = max(mine / right, right / mine)
    return f"{side}, {next(said for most, said in BANDS if factor <= most)}"


def _endless(mine: float) -> str:
    if isinstance(mine, numbers.Integral):  # of hundreds of digits
        return "far too large" if mine > 0 else "far too small"
    return "that is no finite number"


# How far off a number is: the first factor that is large enough.
BANDS = (
    (1.01, "by less than 1 %"),
    (1.1, "by less than 10 %"),
    (2, "by less than a factor of 2"),
    (10, "by a factor between 2 and 10"),
    (math.inf, "more than ten times"),
)


def _wanted(right):
    return f"a {type(right).__name__} is wanted"


def _mismatch(mine, right):
    if isinstance(right, np.ndarray):
        if any_array(mine).shape != right.shape:
            return f"the shape should be {right.shape}"
        return "the shape is right, the numbers are not"
    if isinstance(right, Mapping) and isinstance(mine, Mapping):
        if mine.keys() == right.keys():
            return "the keys are right, the values are not"
        return "the keys are not those that are asked for"
    if is_row(right) and is_row(mine):
        if len(mine) == len(right):
            return "as many entries as there should be, not all right"
        num = len(mine)
        entries = "1 entry" if num == 1 else f"{num} entries"
        return f"{entries}, there should be {len(right)}"
    return _wanted(right)


def told(value: object) -> str:
    """Return arguments or a result in a few words, on one line."""
    try:
        return _told(value)
    except Exception:  # whatever a learner's object does when looked at
        return _a(value)


def one_line(text: str, most: int = 110) -> str:
    """Return a text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most] + "…"


def _told(value):
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return one_line(f"({', '.join(map(told, value))})")
    if isinstance(value, ModelShape):
        return value.name
    if isinstance(value, np.generic):
        return shown(value.item())
    is_requests = isinstance(value, list) and value
    if is_requests and all(hasattr(item, "_fields") for item in value):
        return f"[{', '.join(f'{item[0]}:{item[1]}' for item in value)}]"
    if isinstance(value, np.ndarray) and value.size <= 8:
        return shown(value.tolist())
    said = one_line(shown(value))
    return _a(value) if " at 0x" in said else said


def _a(value):
    kind = type(value).__name__
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
