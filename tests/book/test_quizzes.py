"""A quiz's marker becomes questions: small books, built for real."""

import json
import re
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from made_up_book import Book
from multilora.book import quizzes
from multilora.book.notebooks import KERNEL
from multilora.quiz import quiz_of

QUIZ = quiz_of("own-case")
FORM = '<form class="question"'
# The sections of its page that its reasons link to.
HEADINGS = """# Case

## 2. One answer

## 3. Which `max_loras`?

## 4. Who is late, and why?

## 5. What would change the answer?
"""


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path)
    conf = (tmp_path / "conf.py").read_text("utf-8")
    more = "nb_execution_mode = 'off'\nmyst_heading_anchors = 3\n"
    book.write("conf.py", conf.replace("myst_parser", "myst_nb") + more)
    book.write("index.md", "# Front\n\n```{toctree}\ncase\n```\n")
    return book


def store(book, *cells):
    """Write the notebook `case` of Markdown cells."""
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    cells = [new_markdown_cell(cell) for cell in cells]
    notebook = new_notebook(cells=cells, metadata=metadata)
    book.write("case.ipynb", json.dumps(notebook))


def page_of(book, name="case"):
    return (book.folder / f"_build/html/{name}.html").read_text("utf-8")


@pytest.mark.browser
def test_a_marker_becomes_questions_whose_links_lead_somewhere(book):
    store(book, HEADINGS, quizzes.marker(QUIZ))
    done = book.build()
    assert done.returncode == 0, done.stderr
    page = page_of(book)
    assert page.count(FORM) == len(QUIZ.questions)
    assert page.count("data-right") == len(QUIZ.questions)
    assert page.count('type="radio"') == sum(
        len(question.options) for question in QUIZ.questions
    )
    assert "make book" not in page, "the marker's own words are left"
    links = re.findall(r'<span class="reason">.*?href="#([^"]*)"', page)
    assert len(links) > 5
    assert {f'id="{name}"' in page for name in links} == {True}
    assert "quiz.js" in page and "quiz.css" in page


@pytest.mark.browser
def test_a_page_of_markdown_can_have_a_quiz_too(book):
    store(book, "# Case")
    quiz = "```{quiz} own-case\n```"
    book.write(
        "index.md", f"{HEADINGS}\n{quiz}\n\n```{{toctree}}\ncase\n```\n"
    )
    done = book.build()
    assert done.returncode == 0, done.stderr
    assert page_of(book, "index").count(FORM) == len(QUIZ.questions)
    assert FORM not in page_of(book)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ((HEADINGS, '<div class="quiz" data-quiz="lab-9">x</div>'),
         ("quiz of case: name is 'lab-9', allowed: 'guide'",)),
        ((HEADINGS, '<div data-quiz="own-case">x</div>'),
         ("case has a marker of a quiz that is not of the form",)),
        (("# Case", quizzes.marker(QUIZ)), ("case", "4-who-is-late-and-why")),
    ],
    ids=["an unknown name", "another form", "a link that leads nowhere"],
)  # fmt: skip
def test_what_is_wrong_fails_the_build_and_names_the_page(book, cells, said):
    store(book, *cells)
    done = book.build()
    assert done.returncode != 0
    for words in said:
        assert words in done.stderr


def test_a_page_is_read_again_when_its_quiz_has_changed():
    env = SimpleNamespace(quizzes={})
    quizzes.note(env, "same", QUIZ)
    env.quizzes["changed"] = {"own-case": "what it was"}
    env.quizzes["gone"] = {"no-quiz": "what it was"}
    assert quizzes.outdated(None, env, (), (), ()) == ["changed", "gone"]
