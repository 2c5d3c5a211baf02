"""A quiz on a page that a Chromium shows: given answers, what is said."""

import re
from typing import NamedTuple

import pytest

from multilora.book.pages import built_folder
from multilora.labs.switch import SlipError
from multilora.quiz.pages import Quiz
from multilora.quiz.question import Choice
from repository import ROOT

LINK = re.compile(r"\]\([^)]*\)")
FACTORS = (-1, 0.02, 0.3, 0.7, 0.94, 0.994, 1.007, 1.07, 1.6, 7, 50)
# Gives each answer of [[number of the question, answer]], in one go, since
# Playwright's own clicks take a tenth of a second; returns what is shown.
ANSWER = """rows => rows.map(([place, given]) => {
  const form = document.querySelectorAll('.quiz .question')[place];
  const inputs = form.querySelectorAll('input');
  if (typeof given === 'number') inputs[given].click();
  else {
    inputs[0].value = given;
    inputs[0].dispatchEvent(new Event('input', {bubbles: true}));
  }
  form.querySelector('.check').click();
  const count = document.querySelector('.quiz .count');
  return [form.querySelector('.said').innerText, count.innerText];
})"""


class Answer(NamedTuple):
    """What is given to a question, and the words that are to be shown."""

    place: int
    given: int | str
    words: str


class Visit(NamedTuple):
    """What a quiz showed: rows of (Answer, words, score), and its page."""

    quiz: Quiz
    answers: list
    others: list
    problems: list
    asked: list
    width: int
    markup: str


def letters(text):
    """What is left of a Markdown text or of a page's, for comparison."""
    return re.sub(r"[\W_]+", "", LINK.sub("]", text))


def answers_of(quiz):
    """Each option and each known number of a quiz; a right one comes last."""
    for place, question in enumerate(quiz.questions):
        if isinstance(question, Choice):
            rows = [
                (number, option.reason, option.is_right)
                for number, option in enumerate(question.options)
            ]
        else:
            judge, key = question.answer, question.answer.key()
            rows = [
                (repr(number), reason, False)
                for reason, number in judge.slips().items()
            ]
            rows.append((repr(key), judge(key), True))
        for given, reason, is_right in sorted(rows, key=lambda one: one[-1]):
            verdict = "Right. " if is_right else "No. "
            yield Answer(place, given, verdict + reason)


def others_of(quiz):
    """Numbers near each right one and far from it, as the library judges."""
    for place, question in enumerate(quiz.questions):
        if isinstance(question, Choice):
            continue
        exact = [question.answer.key() * factor for factor in FACTORS]
        for number in [*exact, *map(round, exact)]:
            yield Answer(place, repr(number), judged(question, number))


def judged(question, number):
    try:
        return f"Right. {question.answer(number)}"
    except SlipError as slip:
        return f"No. {slip}"


def open_quiz(page, quiz, scheme="light"):
    """Open the page of a quiz, nothing kept; return its questions' forms."""
    file = built_folder(ROOT) / f"notebooks/{quiz.page}.html"
    if not file.is_file():
        pytest.skip("needs the built book: make browser")
    page.problems.clear()
    page.emulate_media(color_scheme=scheme)
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    if page.evaluate("localStorage.length"):
        page.evaluate("localStorage.clear()")
        page.reload(wait_until="domcontentloaded")
    forms = page.locator(".quiz .question").all()
    assert len(forms) == len(quiz.questions)
    return forms


def shown(page, answers):
    """Give these Answers; return [(Answer, what is said, the score)]."""
    answers = list(answers)
    told = page.evaluate(ANSWER, [[one.place, one.given] for one in answers])
    return [(one, *row) for one, row in zip(answers, told, strict=True)]


def visited(page, quiz):
    """Open a quiz and give it all answers; return the Visit.

    At the end every second question is answered wrongly.
    """
    open_quiz(page, quiz)
    page.asked.clear()
    answers = shown(page, answers_of(quiz))
    others = shown(page, others_of(quiz))
    first = {one.place: one for one in [*answers_of(quiz)][::-1]}
    last = {one.place: one for one in answers_of(quiz)}
    shown(page, [(first, last)[place % 2][place] for place in first])
    return Visit(
        quiz, answers, others, page.problems[:], page.asked[:],
        page.evaluate("document.documentElement.scrollWidth"),
        page.locator(".quiz").evaluate("one => one.outerHTML"),
    )  # fmt: skip
