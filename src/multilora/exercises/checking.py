"""check_exercise: one line for what a learner's cell gives."""

import difflib
from collections.abc import Callable
from typing import NamedTuple

from multilora.exercises import (
    admission,
    cards,
    hits,
    loading,
    matmul,
    operating,
    room,
    shares,
    sizes,
    trouble,
)
from multilora.exercises.compare import told
from multilora.labs.checks import MARKS, Outcome
from multilora.labs.switch import NotAttemptedError, SlipError


class Entry(NamedTuple):
    """An exercise with its number in the book; answer None is not checked."""

    number: int
    part: str
    name: str
    title: str
    difficulty: int
    minutes: int
    answer: Callable[[object], str] | None


PARTS = {
    "The matmul": (matmul,),
    "The bytes": (sizes, cards, shares),
    "Slots and the scheduler": (hits, admission),
    "The engine": (loading, trouble),
    "Operating": (operating, room),
}


def _numbered():
    pairs = [
        (part, exercise)
        for part, modules in PARTS.items()
        for module in modules
        for exercise in module.EXERCISES
    ]
    for number, (part, exercise) in enumerate(pairs, 1):
        yield exercise.name, Entry(number, part, *exercise)


ENTRIES = dict(_numbered())


def judge(name: object, answer: object) -> Outcome:
    """Return the Outcome of an answer to the exercise of this name.

    Never raises for a wrong name or an odd answer: both are a sentence.
    """
    if not isinstance(name, str) or name not in ENTRIES:
        return Outcome(told(name), "wrong", _no_such(name))
    entry = ENTRIES[name]
    if entry.answer is None:
        reason = "nothing to check: compare with the worked solution"
        return Outcome(entry.title, "not attempted yet", reason)
    try:
        return Outcome(entry.title, "pass", entry.answer(answer))
    except NotAttemptedError as reason:
        return Outcome(entry.title, "not attempted yet", str(reason))
    except SlipError as slip:
        return Outcome(entry.title, "wrong", str(slip))


def check_exercise(name: str, answer: object) -> None:
    """Print one line: not attempted yet, right, or what went wrong."""
    outcome = judge(name, answer)
    print(f"{MARKS[outcome.verdict]} {outcome.test}: {outcome.reason}")


def _no_such(name):
    if callable(name):
        return "the name comes first, as text, then the answer"
    if not isinstance(name, str):
        return "no exercise has this name"
    known = {entry.title.casefold(): key for key, entry in ENTRIES.items()}
    known |= {key: key for key in ENTRIES}
    close = difflib.get_close_matches(name.casefold(), known, 1)
    hint = f"; did you mean {known[close[0]]!r}?" if close else ""
    return f"no exercise has this name{hint}"
