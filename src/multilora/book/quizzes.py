"""Quizzes of a page: a marker in a notebook becomes questions to answer.

A notebook ends with a marker, a `<div data-quiz="NAME">` whose text JupyterLab
shows. While Sphinx reads the page the marker becomes the directive

    ```{quiz} NAME
    ```

which puts the questions of multilora.quiz there; quiz.js checks the answers.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from multilora.book import questions
from multilora.book.sources import digest
from multilora.quiz import quiz_of

MARKER = re.compile(r'<div class="quiz" data-quiz="([^"]*)">.*?</div>', re.S)
NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}


def setup(app):
    app.add_directive("quiz", QuizDirective)
    app.connect("builder-inited", _open_notes)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", _forget)
    app.connect("source-read", _put_directives)
    app.connect("html-page-context", _equip)


def marker(quiz):
    """Return the marker of a Quiz, as its notebook stores it."""
    return (
        f'<div class="quiz" data-quiz="{quiz.name}">\n'
        f"The rendered book asks {NUMBERS[len(quiz.questions)].lower()} "
        "questions here and checks each answer\nat once: "
        "<code>make book</code> builds it.\n</div>"
    )


class QuizDirective(SphinxDirective):
    """Puts the questions of this quiz on the page."""

    required_arguments = 1

    def run(self):
        try:
            quiz = quiz_of(self.arguments[0])
        except ValueError as error:
            raise self.error(f"quiz of {self.env.docname}: {error}") from None
        note(self.env, self.env.docname, quiz)
        num = NUMBERS[len(quiz.questions)]
        return [
            questions.raw(
                f"<p>{num} questions. Each answer is checked at once and gets "
                "a reason; nothing leaves this page.</p>"
                f'<div class="quiz" data-quiz="{quiz.name}"'
                f" data-bands='{questions.bands()}'>"
            ),
            *(
                node
                for number, question in enumerate(quiz.questions, 1)
                for node in questions.form(
                    question, f"{quiz.name}-{number}", number, self._inline
                )
            ),
            questions.raw(f"{questions.SCORE}</div>"),
        ]

    def _inline(self, text):
        """A line of Markdown as one node, its links resolved by Sphinx."""
        (paragraph,) = self.parse_text_to_nodes(text)
        return nodes.inline("", "", *paragraph.children)


def _state_of(quiz):
    """What changes when the markup of a quiz may change."""
    return digest(quiz.module) + digest(questions.__name__)


def _open_notes(app):
    if not hasattr(app.env, "quizzes"):
        app.env.quizzes = {}


def note(env, page, quiz):
    """Remember what the Quiz of a page was made from."""
    env.quizzes.setdefault(page, {})[quiz.name] = _state_of(quiz)


def outdated(app, env, added, changed, removed):
    """Return the pages whose quiz would be written otherwise than noted."""
    return [
        page
        for page, states in env.quizzes.items()
        if any(_is_stale(name, state) for name, state in states.items())
    ]


def _is_stale(name, state):
    try:
        return _state_of(quiz_of(name)) != state
    except ValueError:  # the quiz is gone
        return True


def _forget(app, env, page):
    env.quizzes.pop(page, None)


def _put_directives(app, page, source):
    """Replace the markers of a page that is about to be read."""
    if "data-quiz=" not in source[0]:
        return
    if Path(app.env.doc2path(page)).suffix != ".ipynb":
        source[0] = _with_directives(source[0], page)
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            cell["source"] = _with_directives(text, page)
    source[0] = json.dumps(notebook)


def _with_directives(text, page):
    text = MARKER.sub(r"```{quiz} \1\n```", text)
    if "data-quiz=" in text:
        raise ExtensionError(
            f"{page} has a marker of a quiz that is not of the form "
            '<div class="quiz" data-quiz="NAME">text</div>'
        )
    return text


def _equip(app, pagename, templatename, context, doctree):
    """Give a page with a quiz its script and its style."""
    if '<div class="quiz"' in context.get("body", ""):
        app.add_css_file("quiz.css")
        app.add_js_file("quiz.js", loading_method="defer")
