"""A question of a quiz: options, each with its reason, or a number."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from multilora.arguments import finite_number, is_integer
from multilora.exercises.answers import Number


class Option(NamedTuple):
    """What may be chosen, and the reason that is shown once it is."""

    text: str
    reason: str
    is_right: bool = False


def right(text: str, reason: str) -> Option:
    """Return the right Option of a question; the reason says what it means."""
    return Option(text, reason, is_right=True)


def wrong(text: str, reason: str) -> Option:
    """Return a wrong Option; the reason teaches, and says where to look."""
    return Option(text, reason)


@dataclass(frozen=True)
class Choice:
    """A question with Options in the order in which they are shown.

    Raises ValueError unless exactly one of them is right.
    """

    asked: str
    options: tuple[Option, ...]

    def __post_init__(self) -> None:
        num_right = sum(option.is_right for option in self.options)
        if num_right != 1:
            raise ValueError(
                f"options has {num_right} right ones, but must have exactly "
                f"one: {self.asked}"
            )


@dataclass(frozen=True)
class Quantity:
    """A question whose answer is a number of units, judged by a Number.

    The Number's key is computed by the library, its slips are {reason: the
    wrong number}, and what it says is shown after the right answer.
    """

    asked: str
    unit: str
    answer: Number


Question = Choice | Quantity


def rounded(value: float) -> str:
    """Return a number as a page shows it: whole, or to three digits.

    An int gives all of its digits, a float at least three: 1,255.1 gives
    "1,255", 0.71875 gives "0.719". Raises TypeError or ValueError for what
    is no finite number.
    """
    number = finite_number("value", value)
    if is_integer(value) or number == 0:
        return f"{value:,}"
    places = 2 - math.floor(math.log10(abs(number)))
    return f"{number:,.{max(0, places)}f}"
