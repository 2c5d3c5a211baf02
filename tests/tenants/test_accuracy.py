"""Which answers are exact, and in whose style."""

import pytest

from multilora.tenants import corpus
from multilora.tenants.accuracy import accuracy, tag_matrix


def test_the_tag_matrix_counts_exact_answers():
    questions = corpus.held_out("unseen combinations", 10)
    said = {
        style: [corpus.answer(question, style) for question in questions]
        for style in ("base", "sql")
    }
    said["sql"][0] = "SELECT"
    matrix = tag_matrix(questions, said)
    assert matrix["base"] == {
        style: float(style == "base") for style in corpus.STYLES
    }
    assert matrix["sql"]["sql"] == 0.9


def test_wrong_replies_are_named():
    with pytest.raises(ValueError, match="replies has 0 entries"):
        accuracy([], "sql", [])
    with pytest.raises(TypeError, match="replies is None"):
        accuracy(corpus.held_out("unseen words", 1), "sql", None)
    with pytest.raises(TypeError, match="replies_by_tag is None"):
        tag_matrix([], None)
    with pytest.raises(TypeError, match="question is 3"):
        corpus.answer(3, "sql")
