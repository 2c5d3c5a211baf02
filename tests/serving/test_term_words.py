"""Each fitted term has words, and a line that fits a page."""

from multilora.serving.term_words import TERM_WORDS, term_lines
from multilora.serving.terms import StepTerms, fitted_models


def test_each_term_has_words_and_a_line_that_fits():
    assert tuple(TERM_WORDS) == StepTerms._fields
    for model in fitted_models():
        lines = term_lines(model)
        assert [line.split()[0] for line in lines] == list(StepTerms._fields)
        assert max(map(len, lines)) <= 78
