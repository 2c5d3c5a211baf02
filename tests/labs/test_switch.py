"""LAB_IMPL: whose code pytest, the grader and a notebook run."""

import importlib

from multilora.labs.checks import grade_lab, spec_tests
from programs import python
from repository import ROOT
from starters import skip_if_attempted


def test_the_switch_grades_the_starter_through_pytest():
    skip_if_attempted("03")
    result = python(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        ROOT / "tests/labs/test_lab_03.py",
        LAB_IMPL="starter",
    )
    assert result.returncode == 1
    assert "6 failed" in result.stdout
    assert "gpus_saved: not attempted yet" in result.stdout
    assert "Traceback" not in result.stdout
    assert "spec_03.py" not in result.stdout


def test_the_grader_prints_a_score():
    skip_if_attempted("03")
    result = python("-m", "multilora.labs.grade", "3")
    assert result.returncode == 1
    assert "0 of 6 tests pass" in result.stdout
    assert result.stderr == ""
    unknown = python("-m", "multilora.labs.grade", "07")
    assert unknown.returncode == 1
    assert "lab is '07', allowed: '01', '02', '03', '04'" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_a_notebook_says_whose_code_runs():
    skip_if_attempted("03")
    code = "from multilora.labs.lab03 import gpus_saved; gpus_saved(100, 8)"
    assert python("-c", code).stdout == ""
    learner = python("-c", code, LAB_IMPL="starter")
    assert "gpus_saved: not attempted yet, the library" in learner.stdout
    wrong = python("-c", code, LAB_IMPL="mine")
    assert "LAB_IMPL is 'mine', allowed: 'solution', 'starter'" in wrong.stderr


def test_a_starter_that_does_not_import_is_a_sentence(monkeypatch):
    tests = spec_tests("03")

    def broken(path):
        raise SyntaxError("line 7")

    monkeypatch.setattr("multilora.labs.checks.spec_tests", lambda lab: tests)
    monkeypatch.setattr(importlib, "import_module", broken)
    for outcome in grade_lab("03"):
        assert outcome.verdict == "wrong"
        assert "does not import: SyntaxError: line 7" in outcome.reason
