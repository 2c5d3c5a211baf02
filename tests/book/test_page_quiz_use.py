"""How a reader uses a quiz of a built page: keys, odd input, what is kept.

Needs `make book`, playwright and a Chromium: make browser.
"""

import pytest

from multilora.quiz.pages import QUIZZES
from page_quiz import open_quiz

pytestmark = pytest.mark.browser


def said(form):
    return form.locator(".said").inner_text()


def count(page):
    return page.locator(".quiz .count").inner_text()


def test_answers_are_kept_until_the_reader_asks_again(page):
    quiz = QUIZZES["lab-02"]
    forms = open_quiz(page, quiz)
    forms[0].locator("input").nth(3).check()
    forms[0].locator(".check").click()
    forms[2].locator("input").fill("5")
    forms[2].locator(".check").click()
    forms[3].locator("input").nth(0).check()  # and not checked
    told = page.locator(".quiz .said").all_inner_texts()
    page.reload(wait_until="domcontentloaded")
    assert page.locator(".quiz .said").all_inner_texts() == told
    assert count(page) == f"1 of {len(forms)} right"
    page.get_by_role("button", name="Again", exact=True).click()
    assert (
        forms[0]
        .locator("input")
        .first.evaluate("one => one.matches(':focus')")
    )
    page.reload(wait_until="domcontentloaded")
    assert set(page.locator(".quiz .said").all_inner_texts()) == {""}
    assert page.locator(".quiz .score").is_hidden()
    assert page.locator(".quiz input:checked").count() == 0
    assert page.problems == []


def test_the_keyboard_alone_answers_a_quiz(page):
    quiz = QUIZZES["lab-01"]
    first, second, *_ = open_quiz(page, quiz)
    press = page.keyboard.press
    first.locator("input").focus()
    page.keyboard.type(f"{quiz.questions[0].answer.key():,}")
    press("Enter")
    assert said(first).startswith("Right.")
    press("Tab")  # the button
    assert first.locator(".check").evaluate("one => one.matches(':focus')")
    press("Tab")  # the fold
    press("Enter")
    assert first.locator("li").first.is_visible()
    while not second.locator("input:focus").count():  # links of the fold
        press("Tab")
    press("Space")
    press("ArrowDown")
    assert said(second) == "", "an arrow key answers nothing"
    assert second.locator("input").nth(1).is_checked()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    press("Enter")
    assert said(second).startswith("No.")
    assert count(page) == f"1 of {len(quiz.questions)} right"


TYPED = [
    ("", "Type a number first."),
    ("many", "“many” is no number"),
    ("<b>7</b>", "is no number"),
    ("1e999", "is no number"),
    ("1,2345", "Type a point before the decimals, as in 1.2345."),
    ("705 GiB", "The answer is asked in MiB"),
    ("50 %", "The answer is asked in MiB"),
    ("−3", "No. −3: too small."),
    ("704.6", "Right."),
    ("704.6 MiB", "Right."),
    (" 7.046e2 ", "Right."),
    ("1,234", "No. 1,234: too large"),
    ("1 234.5", "No. 1 234.5: too large"),
]


def test_what_is_typed_is_read_as_a_number_or_gets_a_sentence(page):
    quiz = QUIZZES["guide"]
    choice, form, *_ = open_quiz(page, quiz)
    assert quiz.questions[1].unit == "MiB"
    for text, words in TYPED:
        form.locator("input").fill(text)
        assert said(form) == "", "an old verdict is beside a new answer"
        form.locator(".check").click()
        assert words in said(form), text
        is_judged = said(form).startswith(("Right", "No"))
        assert form.locator(".answers").is_visible() == is_judged
    choice.locator(".check").click()
    assert said(choice) == "Choose an answer first."
    assert page.problems == []


KEPT = ["}", "7", '{"a": 1}', "[[], {}, 3, null, 9]"]


@pytest.mark.parametrize("kept", KEPT)
def test_what_no_quiz_has_kept_does_no_harm(page, kept):
    open_quiz(page, QUIZZES["guide"])
    keep = "kept => localStorage.setItem('quiz guide', kept)"
    page.evaluate(keep, kept)
    page.reload(wait_until="domcontentloaded")
    form = page.locator(".quiz .question").first
    form.locator("input").nth(2).check()
    form.locator(".check").click()
    assert said(form).startswith("Right.")
    assert page.problems == []
