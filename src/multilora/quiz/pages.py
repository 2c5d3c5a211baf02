"""The registry of quizzes: each name with its page and its questions."""

from typing import NamedTuple

from multilora.arguments import choice
from multilora.quiz import (
    against_the_engine,
    deep_dive,
    fleet,
    grouping,
    guide,
    hours,
    lab_01,
    lab_02,
    lab_03,
    lab_04,
    measured,
    operators,
    own_case,
    pitches,
    policies,
    the_cascade,
)
from multilora.quiz.question import Question


class Quiz(NamedTuple):
    """The questions of a page; page is its file's name without suffix."""

    name: str
    page: str
    questions: tuple[Question, ...]

    @property
    def module(self) -> str:
        """The full name of the module that holds the questions."""
        return f"multilora.quiz.{self.name.replace('-', '_')}"


_OF_PAGE = {
    "guide": guide,
    "lab-01-batched-lora-matmul": lab_01,
    "lab-03-lora-economics": lab_03,
    "lab-04-adapter-slot-cache": lab_04,
    "lab-02-serve-many-loras": lab_02,
    "the-cascade": the_cascade,
    "deep-dive": deep_dive,
    "against-the-engine": against_the_engine,
    "policies": policies,
    "grouping": grouping,
    "measured": measured,
    "hours": hours,
    "own-case": own_case,
    "fleet": fleet,
    "operators": operators,
    "pitches": pitches,
}


def _named():
    for page, module in _OF_PAGE.items():
        name = module.__name__.rsplit(".", 1)[-1].replace("_", "-")
        yield name, Quiz(name, page, tuple(module.QUESTIONS))


QUIZZES = dict(_named())


def quiz_of(name: str) -> Quiz:
    """Return the Quiz of this name, such as "lab-01" or "guide".

    Raises ValueError, which names all quizzes, for another name.
    """
    return QUIZZES[choice("name", name, QUIZZES)]
