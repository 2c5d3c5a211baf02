"""Bounds of fields, and how a wrong value is told: part of pydantic.py."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

Check = Callable[[Any], Any]
NO_DEFAULT = object()
# Of a Field's bounds, in pydantic's order. NaN is within none of them.
_COMPARED = (
    ("le", "less than or equal to", operator.le),
    ("ge", "greater than or equal to", operator.ge),
    ("gt", "greater than", operator.gt),
)


class WrongError(Exception):
    """What is wrong with a value, and where within it."""

    def __init__(self, wrong: list[dict]) -> None:
        self.wrong = wrong

    def within(self, place: str | int) -> list[dict]:
        """Return what is wrong, as it is seen from around the value."""
        return [one | {"loc": (place, *one["loc"])} for one in self.wrong]


def refuse(value: object, message: str) -> WrongError:
    """Return the error of a value that is wrong as a whole."""
    return WrongError([{"loc": (), "msg": message, "input": value}])


class Bounds(NamedTuple):
    """A Field: its default, and what its value must keep to."""

    default: Any = NO_DEFAULT
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    allow_inf_nan: bool = True

    def around(self, check: Check) -> Check:
        """Return check, and behind it the bounds."""

        def within(given):
            value = check(given)
            for is_kept, message in self._kept(value):
                if not is_kept:
                    raise refuse(given, message)
            return value

        return within

    def _kept(self, value):
        if not self.allow_inf_nan:
            yield abs(value) < float("inf"), "Input should be a finite number"
        for name, words, is_kept in _COMPARED:
            bound = getattr(self, name)
            if bound is not None:
                number = int(bound) if bound == int(bound) else bound
                message = f"Input should be {words} {number}"
                yield is_kept(value, bound), message
        if self.min_length is not None:
            words = _length_words(value, "at least", self.min_length)
            yield len(value) >= self.min_length, words
        if self.max_length is not None:
            words = _length_words(value, "at most", self.max_length)
            yield len(value) <= self.max_length, words


def _length_words(value, least_or_most, num):
    plural = "s" * (num != 1)
    if isinstance(value, str):
        return f"String should have {least_or_most} {num} character{plural}"
    return (
        f"Tuple should have {least_or_most} {num} item{plural} after "
        f"validation, not {len(value)}"
    )
