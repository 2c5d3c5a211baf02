"""Each quiz is on its page, each page of the book that is read has a quiz."""

import json
import re

import pytest
import yaml

from multilora.book.pages import pages_of
from multilora.book.quizzes import marker
from multilora.quiz.pages import QUIZZES
from repository import NOTEBOOKS, ROOT

pytestmark = pytest.mark.stored
WITHOUT = {"notebooks/exercises"}  # a page of questions already


def quizzes_of(path):
    return re.findall(r'data-quiz=\\"([^"\\]*)\\"', path.read_text("utf-8"))


def test_each_quiz_is_on_its_page_and_no_other():
    found = {path.stem: quizzes_of(path) for path in NOTEBOOKS}
    asked = {page: names for page, names in found.items() if names}
    assert asked == {quiz.page: [quiz.name] for quiz in QUIZZES.values()}


def test_each_notebook_of_the_book_has_a_quiz():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    pages = {page for page in pages_of(toc) if page.startswith("notebooks/")}
    asked = [f"notebooks/{quiz.page}" for quiz in QUIZZES.values()]
    assert set(asked) == pages - WITHOUT
    order = [page for page in pages_of(toc) if page in set(asked)]
    assert asked == order


@pytest.mark.parametrize("quiz", QUIZZES.values(), ids=QUIZZES)
def test_the_last_cell_is_the_quiz_with_its_own_words(quiz):
    path = ROOT / f"notebooks/{quiz.page}.ipynb"
    last = json.loads(path.read_text("utf-8"))["cells"][-1]
    assert last["cell_type"] == "markdown"
    text = "".join(last["source"])
    assert text == f"## Check yourself\n\n{marker(quiz)}"
    assert max(map(len, text.splitlines())) <= 79
