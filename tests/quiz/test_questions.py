"""Every question of every quiz: answers, reasons, numbers."""

import math
import re

import pytest

from multilora.labs.switch import SlipError
from multilora.quiz.pages import QUIZZES
from multilora.quiz.question import Choice, Quantity

LINK = re.compile(r"\[[^]]+\]\([^)\s]+\)")
# Words that the house style has better ones for.
UNWANTED = re.compile(r"\b(he|his|him|seldom|stands?|mends?|turns? out)\b")
QUESTIONS = [
    pytest.param(question, id=f"{quiz.name}-{number}")
    for quiz in QUIZZES.values()
    for number, question in enumerate(quiz.questions, 1)
]
CHOICES = [one for one in QUESTIONS if isinstance(one.values[0], Choice)]
QUANTITIES = [one for one in QUESTIONS if isinstance(one.values[0], Quantity)]


def reasons_of(question):
    """Return [(reason, is it the right answer's)], as the page shows them."""
    if isinstance(question, Choice):
        return [(one.reason, one.is_right) for one in question.options]
    judge = question.answer
    found = [(reason, False) for reason in judge.slips()]
    return [(judge(judge.key()), True), *found]


@pytest.mark.parametrize("quiz", QUIZZES.values(), ids=QUIZZES)
def test_a_quiz_has_three_or_four_questions(quiz):
    assert 3 <= len(quiz.questions) <= 4
    asked = [question.asked for question in quiz.questions]
    assert len(set(asked)) == len(asked)
    assert any(isinstance(question, Choice) for question in quiz.questions)


def test_the_right_option_has_no_place_of_its_own():
    places = [
        [option.is_right for option in one.values[0].options].index(True)
        for one in CHOICES
    ]
    shares = [places.count(place) / len(places) for place in (0, 1, 2)]
    assert min(shares) > 0.1 and max(shares) < 0.5


@pytest.mark.parametrize("question", CHOICES)
def test_each_option_has_a_reason_of_its_own(question):
    texts = [option.text for option in question.options]
    assert 3 <= len(texts) == len(set(texts))
    assert sum(option.is_right for option in question.options) == 1
    assert not any(LINK.search(text) for text in texts), "a link in a label"


@pytest.mark.parametrize("question", QUESTIONS)
def test_reasons_differ_are_sentences_and_say_where_to_look(question):
    reasons = reasons_of(question)
    assert len({reason for reason, _ in reasons}) == len(reasons)
    for reason, _ in reasons:
        assert re.match(r"(vLLM|[A-Z0-9*`]).*[.?]$", reason, re.DOTALL), reason
        assert 20 < len(LINK.sub("", reason)) < 260, reason
        assert not UNWANTED.search(reason), reason
    assert any(LINK.search(text) for text, is_right in reasons if not is_right)
    assert not UNWANTED.search(question.asked)
    assert question.asked[-1] in '?"'


@pytest.mark.parametrize("question", CHOICES)
def test_each_wrong_option_says_where_to_look(question):
    for option in question.options:
        assert option.is_right or LINK.search(option.reason), option.text


@pytest.mark.parametrize("question", QUANTITIES)
def test_a_number_is_finite_and_no_slip_is_taken_for_it(question):
    judge, key = question.answer, question.answer.key()
    slips = judge.slips()
    assert math.isfinite(key) and key > 0
    assert type(key) in (int, float)
    assert len(slips) >= 2
    numbers = [key, *slips.values()]
    for place, one in enumerate(numbers):
        assert type(one) in (int, float) and math.isfinite(one)
        for other in numbers[:place]:
            apart = 2 * judge.within or 1e-9
            assert not math.isclose(one, other, rel_tol=apart), (one, other)
    assert judge(key) and key == judge.key()
    for reason, slip in slips.items():
        with pytest.raises(SlipError) as said:
            judge(slip)
        assert str(said.value) == reason


@pytest.mark.parametrize("question", QUANTITIES)
def test_any_other_number_is_said_to_be_too_high_or_too_low(question):
    judge, key = question.answer, question.answer.key()
    for other, words in ((97 * key, "too large"), (-1, "too small")):
        with pytest.raises(SlipError) as said:
            judge(other)
        assert words in str(said.value)


@pytest.mark.parametrize("question", QUANTITIES)
def test_no_slip_gives_the_right_number_away(question):
    """A small whole number may be an adapter's, so it is not looked for."""
    key = question.answer.key()
    wanted = {f"{key:,}", f"{key:.1f}", f"{key:.2f}"} if key > 20 else set()
    told = " ".join(question.answer.slips())
    assert not wanted & set(re.findall(r"\d[\d,.]*\d|\d", told))
