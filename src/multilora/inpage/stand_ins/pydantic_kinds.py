"""Kinds of fields, and what pydantic takes for each: part of pydantic.py."""

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union
from typing import get_args as args_of
from typing import get_origin as origin_of

from pydantic_bounds import Check, WrongError, refuse

_INTEGER = re.compile(r"\s*[+-]?\d+(_\d+)*(\.0*)?\s*", re.ASCII)
_YES = {1, "1", "on", "t", "true", "y", "yes"}
_NO = {0, "0", "off", "f", "false", "n", "no"}


def check_of(kind: Any) -> Check:
    """Return what checks a value of a kind of field, and gives it back.

    Raises TypeError for a kind that no field of the library has.
    """
    origin, args = origin_of(kind), args_of(kind)
    if origin is Annotated:
        check = check_of(args[0])
        for bounds in args[1:]:
            check = bounds.around(check)
        return check
    if origin in (Union, UnionType) and len(args) == 2 and NoneType in args:
        (other,) = set(args) - {NoneType}
        check = check_of(other)
        return lambda value: None if value is None else check(value)
    if origin is Literal:
        return _literal(args)
    if origin is tuple and args[1:] == (...,):
        return _tuple(check_of(args[0]))
    if hasattr(kind, "checked"):
        return kind.checked
    if kind in _PLAIN:
        return _PLAIN[kind]
    raise TypeError(f"{kind} is a kind of field that this stand-in lacks")


def _plain(value):
    """Return Python's own number for one of numpy's."""
    is_numpy = hasattr(value, "item") and getattr(value, "ndim", 1) == 0
    return value.item() if is_numpy else value


def _number(value):
    if isinstance(value, str | bytes):
        return float(value)
    if not hasattr(value, "__float__") or hasattr(value, "ndim"):
        raise TypeError
    return float(value)


def _int(given):
    value, must = _plain(given), "Input should be a valid integer"
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else value.decode("latin-1")
        if not _INTEGER.fullmatch(text):
            raise refuse(
                given, f"{must}, unable to parse string as an integer"
            )
        return int(text.partition(".")[0])
    try:
        number = _number(value)
    except (TypeError, ValueError):
        raise refuse(given, must) from None
    if not abs(number) < float("inf"):
        raise refuse(given, "Input should be a finite number")
    if not number.is_integer():
        raise refuse(given, f"{must}, got a number with a fractional part")
    return int(value)


def _float(given):
    try:
        return _number(_plain(given))
    except ValueError:
        raise refuse(
            given,
            "Input should be a valid number, unable to parse string as a "
            "number",
        ) from None
    except (TypeError, OverflowError):
        raise refuse(given, "Input should be a valid number") from None


def _str(given):
    if isinstance(given, str):
        return str(given)
    if isinstance(given, bytes):
        try:
            return given.decode()
        except UnicodeDecodeError:
            pass
    raise refuse(given, "Input should be a valid string")


def _bool(given):
    value, must = _plain(given), "Input should be a valid boolean"
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        value = value.lower()
    if isinstance(value, bool | int | float | str):
        if value in _YES:
            return True
        if value in _NO:
            return False
        if isinstance(value, int | str):
            must += ", unable to interpret input"
    raise refuse(given, must)


def _literal(values):
    def check(given):
        for value in values:
            if isinstance(given, type(value)) and given == value:
                return value
        words = " or ".join(map(repr, values))
        words = words.replace(" or ", ", ", len(values) - 2)
        raise refuse(given, f"Input should be {words}")

    return check


def _tuple(check):
    def check_all(given):
        is_one = isinstance(given, str | bytes | bytearray | Mapping)
        try:
            items = [] if is_one else list(given)
        except TypeError:
            is_one = True
        if is_one:
            raise refuse(given, "Input should be a valid tuple")
        found, wrong = [], []
        for place, value in enumerate(items):
            try:
                found.append(check(value))
            except WrongError as error:
                wrong += error.within(place)
        if wrong:
            raise WrongError(wrong)
        return tuple(found)

    return check_all


_PLAIN: dict[Any, Check] = {
    int: _int, float: _float, str: _str, bool: _bool,
}  # fmt: skip
