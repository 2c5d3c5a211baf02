"""Quizzes of the built pages in Chromium: every answer gets its reason.

Needs `make book`, playwright and a Chromium: make browser. One page object
visits each quiz once, so that all of this takes less than a minute.
"""

import pytest

from multilora.book.pages import built_folder
from multilora.quiz.pages import QUIZZES
from page_quiz import letters, open_quiz, visited
from repository import ROOT

each_quiz = pytest.mark.parametrize("name", QUIZZES)
# All kinds of markup are in these; test_pages.py looks at every page.
LOOKED_AT = ("guide", "lab-04", "operators")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visits(page):
    return {name: visited(page, quiz) for name, quiz in QUIZZES.items()}


@each_quiz
def test_each_answer_gets_its_own_reason(visits, name):
    visit = visits[name]
    num = len(visit.quiz.questions)
    for answer, words, score in visit.answers:
        assert letters(words) == letters(answer.words), answer
        num_right = answer.place + words.startswith("Right")
        assert score == f"{num_right} of {num} right"
    assert visit.problems == []
    # Chromium fetches the icon of a tab when it finds the time.
    icon = (built_folder(ROOT) / "_static/favicon.svg").as_uri()
    later = [url for url in visit.asked if url != icon]
    sent = [url for url in later if "/_frames/" not in url]
    assert sent == [], "an answer was sent somewhere"
    assert visit.width <= 390


def test_another_number_is_judged_as_the_library_judges_it(visits):
    """Too high or too low, and by how much, in the library's words."""
    rows = [row for visit in visits.values() for row in visit.others]
    assert len(rows) > 200
    for answer, words, _ in rows:
        # The library shortens a long number, which is before the colon.
        about = [text.rpartition(": ")[-1] for text in (words, answer.words)]
        assert letters(about[0]) == letters(about[1]), answer
        assert words[:2] == answer.words[:2]


def test_nothing_bars_a_reader_of_answered_quizzes(page, visits):
    """Some of them put on one page, with answers right and wrong."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe-playwright-python: make browser",
    ).Axe()
    markup = "".join(visits[name].markup for name in LOOKED_AT)
    for scheme in ("light", "dark"):
        open_quiz(page, QUIZZES["against-the-engine"], scheme)
        put = "(one, text) => { one.outerHTML = `<div id=all>${text}</div>`; }"
        page.locator(".quiz").evaluate(put, markup)
        page.locator("#all .answers").evaluate_all(
            "folds => folds.forEach(fold => { fold.open = true; })"
        )
        page.wait_for_timeout(300)  # the theme fades its colours in
        theme = page.evaluate("document.documentElement.dataset.theme")
        assert theme == scheme
        found = axe.run(page, context="#all").response
        assert len(found["passes"]) > 5, "axe did not look"
        broken = [
            (one["id"], [node["html"][:200] for node in one["nodes"]])
            for one in found["violations"]
        ]
        assert broken == []


def test_without_javascript_the_answers_are_in_folds(browser):
    """Nothing is offered that cannot work."""
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.problems = []
    for name in ("guide", "own-case", "pitches"):
        forms = open_quiz(page, QUIZZES[name])
        ours = page.locator(".quiz")
        assert ours.locator("button:visible").count() == 0
        assert ours.locator("input[type=text]:visible").count() == 0
        assert ours.locator("summary:visible").count() == len(forms)
        for form in forms:
            form.locator("summary").click()
            assert form.locator("li[data-right]").is_visible()
    context.close()
