"""check_exercise: one line for what a learner's cell gives."""

import difflib
from typing import NamedTuple

from multilora.exercises import (
    admission,
    hits,
    loading,
    matmul,
    operating,
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
    answer: object


PARTS = {
    "The matmul": (matmul,),
    "The bytes": (sizes,),
    "Slots and the scheduler": (hits, admission),
    "The engine": (loading, trouble),
    "Operating": (operating,),
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


def judge(name, answer):
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


def check_exercise(name, answer):
    """Print one line: not attempted yet, right, or what went wrong."""
    outcome = judge(name, answer)
    print(f"{MARKS[outcome.verdict]} {outcome.test}: {outcome.reason}")


def _no_such(name):
    close = difflib.get_close_matches(str(name), ENTRIES, 1, 0.3)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"no exercise has this name{hint}"
