"""Grade a function that is wrong, or right in an unusual way."""

import pytest

from multilora.labs.checks import grade_function


def assert_named(name, mutant, sentence):
    """The mutant fails, and one of the reasons holds the sentence."""
    outcomes = grade_function(name, mutant)
    reasons = [item.reason for item in outcomes if item.verdict == "wrong"]
    assert any(sentence in reason for reason in reasons), (
        reasons or "full marks"
    )


def assert_accepted(name, variant):
    """The variant gets full marks."""
    outcomes = grade_function(name, variant)
    assert [item for item in outcomes if item.verdict != "pass"] == []


def each_named(mutants):
    """Return a test of each (name, mutant, sentence)."""

    @pytest.mark.parametrize(("name", "mutant", "sentence"), mutants)
    def test(name, mutant, sentence):
        assert_named(name, mutant, sentence)

    return test


def each_accepted(variants):
    """Return a test of each (name, variant)."""

    @pytest.mark.parametrize(("name", "variant"), variants)
    def test(name, variant):
        assert_accepted(name, variant)

    return test
