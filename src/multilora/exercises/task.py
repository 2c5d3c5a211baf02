"""What the book says of an exercise, beside its answer."""

from collections.abc import Callable
from typing import NamedTuple


class Exercise(NamedTuple):
    """difficulty is 1 to 3; answer a kind of answers.py, None for prose."""

    name: str
    title: str
    difficulty: int
    minutes: int
    answer: Callable[[object], str] | None = None
