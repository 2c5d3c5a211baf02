"""Starters and solutions: signatures, and tests that fail politely."""

import inspect

import pytest

from multilora.labs import NAMES, check
from multilora.labs.checks import grade_lab, spec_tests
from multilora.labs.guards import bare_signature
from multilora.labs.switch import library, starter
from starters import skip_if_attempted

EVERY = [(lab, name) for lab, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("lab", "name"), EVERY)
def test_starter_and_solution_share_a_signature(lab, name):
    skip_if_attempted(lab)
    mine, answer = starter(name), library(name)
    if not inspect.isclass(answer):
        assert bare_signature(mine) == bare_signature(answer)
        return
    for method in ("__init__", "activate"):
        assert bare_signature(getattr(mine, method)) == bare_signature(
            getattr(answer, method)
        )
    for name in ("hit_rate", "slots"):
        assert isinstance(inspect.getattr_static(mine, name), property)


@pytest.mark.parametrize("lab", NAMES)
def test_every_spec_test_fails_politely_on_the_starter(lab):
    skip_if_attempted(lab)
    for outcome in grade_lab(lab):
        assert outcome.verdict == "not attempted yet"
        assert outcome.reason.endswith("not attempted yet")


@pytest.mark.parametrize(("lab", "name"), EVERY)
def test_the_solution_passes(lab, name):
    assert check(library(name))


@pytest.mark.parametrize("lab", NAMES)
def test_each_test_names_the_functions_it_needs(lab):
    for test in spec_tests(lab):
        assert set(bare_signature(test).parameters) <= set(NAMES[lab])
