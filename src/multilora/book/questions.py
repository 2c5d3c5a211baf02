"""A question of a quiz as HTML: a form, and a fold with the answers.

quiz.js reads which answer is right, and each reason, from the fold; without
JavaScript the fold is all there is. Text is given as nodes, so that Sphinx
resolves its links.
"""

import html
import json
import math

from docutils import nodes

from multilora.exercises.compare import BANDS
from multilora.quiz.question import Choice, rounded

CHECK = '<button type="submit" class="check" hidden disabled>Check</button>'
SCORE = (
    '<p class="score" hidden><span class="count"></span> '
    '<button type="button" class="again">Again</button></p>'
)


def raw(markup):
    """Return HTML as a node."""
    return nodes.raw(text=markup, format="html")


def bands():
    """Return how far off a number is in words, as JSON for an attribute."""
    found = [[most, said] for most, said in BANDS if most < math.inf]
    return json.dumps([*found, [None, BANDS[-1][1]]])


def form(question, name, number, inline):
    """Return the nodes of a question.

    name tells it from all others of the book, number is its place on the
    page; inline makes a node of a line of Markdown.
    """
    kind = _choice if isinstance(question, Choice) else _quantity
    attributes, entry, answers = kind(question, f"quiz-{name}", inline)
    return [
        raw(
            f'<form class="question" id="quiz-{name}" {attributes} novalidate>'
            f'<fieldset><legend><span class="number">{number}.</span> '
        ),
        inline(question.asked),
        raw("</legend>"),
        *entry,
        raw(
            f'{CHECK}</fieldset><p class="said" role="status"></p>'
            '<details class="answers"><summary>Answers and reasons</summary>'
            "<ul>"
        ),
        *answers,
        raw("</ul></details></form>"),
    ]


def _choice(question, name, inline):
    entry, answers = [], []
    for number, option in enumerate(question.options):
        at = f"{name}-{number}"
        entry += [
            raw(
                f'<div class="option"><input type="radio" id="{at}" '
                f'name="{name}" value="{number}" autocomplete="off">'
                f'<label for="{at}">'
            ),
            inline(option.text),
            raw("</label></div>"),
        ]
        answers += _answer(
            f'data-value="{number}"', inline(option.text), option.is_right,
            inline(option.reason),
        )  # fmt: skip
    return 'data-kind="choice"', entry, answers


def _quantity(question, name, inline):
    unit, judge = html.escape(question.unit), question.answer
    key = judge.key()
    entry = raw(
        f'<div class="entry" hidden><label for="{name}-number">Your answer '
        f'({unit})</label> <input type="text" id="{name}-number" '
        'inputmode="decimal" maxlength="30" autocomplete="off" '
        'spellcheck="false"></div>'
    )
    reasons = {judge(key): key} | judge.slips()
    answers = []
    for reason, value in reasons.items():
        answers += _answer(
            f'data-number="{json.dumps(value)}"',
            inline(f"{rounded(value)} {question.unit}"),
            value == key,
            inline(reason),
        )
    kind = "whole" if isinstance(key, int) else "real"
    attributes = (
        f'data-kind="{kind}" data-unit="{unit}" '
        f'data-within="{judge.within or 1e-12}"'
    )
    return attributes, [entry], answers


def _answer(attribute, text, is_right, reason):
    """One line of the fold: what may be answered, and its reason."""
    mark = " data-right" if is_right else ""
    verdict = "Right" if is_right else "No"
    return [
        raw(f"<li {attribute}{mark}><strong>{verdict}:</strong> "),
        text,
        raw('<br><span class="reason">'),
        reason,
        raw("</span></li>"),
    ]
