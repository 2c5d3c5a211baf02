"""The grader's exit status, and the learner's lines that it names."""

import runpy
import sys
from types import ModuleType

import pytest

from multilora.labs import check
from multilora.labs.checks import grade_lab
from multilora.labs.switch import starter
from programs import python

FULL = """
import runpy, sys, types
from multilora.labs import NAMES
from multilora.labs.switch import library
for lab in sys.argv.pop().split(","):
    module = types.ModuleType(f"starter_{lab}")
    vars(module).update({name: library(name) for name in NAMES[lab]})
    sys.modules[f"multilora.labs.starter_{lab}"] = module
runpy.run_module("multilora.labs.grade", run_name="__main__")
"""
EMPTY = """
def lora_delta(x, A, B, scaling):
    return None


def apply_single(x, W, A, B, scaling):
    return None


def apply_batched(x, W, adapters, adapter_ids, scalings):
    return None
"""


def graded(*arguments):
    """Run the grader on labs that are solved: the last argument's."""
    return python("-c", FULL, *arguments)


def test_a_full_score_exits_with_0():
    result = graded("03", "4", "03,04")
    assert (result.returncode, result.stderr) == (0, "")
    assert "6 of 6 tests pass" in result.stdout
    assert "Lab 04" in result.stdout


def test_one_lab_that_is_not_full_is_enough_for_1(lab_01):
    lab_01(EMPTY)
    assert not all(item.verdict == "pass" for item in grade_lab("01"))
    result = graded("01", "03", "03")
    if "13 of 13" not in result.stdout:  # a learner's own starter may be full
        assert (result.returncode, result.stderr) == (1, "")
    assert "6 of 6 tests pass" in result.stdout


@pytest.fixture
def lab_01(tmp_path, monkeypatch):
    """Put a text in the place of starter_01.py and return its reasons."""

    def reasons(text):
        path = tmp_path / "starter_01.py"
        path.write_text(text, "utf-8")
        module = ModuleType("multilora.labs.starter_01")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, str(path), "exec"), vars(module))
        return [item.reason for item in grade_lab("01") if item.reason]

    return reasons


def test_a_wrong_argument_count_names_the_def_line(lab_01):
    text = EMPTY.replace("lora_delta(x, A, B, scaling)", "lora_delta(x, A, B)")
    assert lab_01(text)[0] == (
        "line 2 of starter_01.py: lora_delta cannot be called as the lab "
        "calls it, too many positional arguments; wanted is "
        "def lora_delta(x, A, B, scaling)"
    )


def test_a_decorator_does_not_hide_the_def_line(lab_01):
    text = "import functools\n" + EMPTY.replace(
        "def apply_single(x, W, A, B, scaling)",
        "@functools.cache\ndef apply_single(x, W, A, B)",
    )
    assert any(
        "line 8 of starter_01.py: apply_single" in reason
        for reason in lab_01(text)
    )


def test_a_wrong_call_within_names_the_line_of_the_call(lab_01):
    text = EMPTY.replace(
        "B, scaling):\n    return None\n\n\ndef apply_batched",
        "B, scaling):\n    y = x @ W.T\n    return y + lora_delta(x, A)\n\n\n"
        "def apply_batched",
    )
    (reason, *_) = [item for item in lab_01(text) if "raised" in item]
    assert "missing 2 required positional arguments" in reason
    assert reason.endswith("line 8 of starter_01.py")


def test_a_forgotten_return_is_no_lab_that_is_not_attempted(lab_01):
    text = EMPTY.replace("return None", "y = scaling * (x @ A.T) @ B.T", 1)
    assert (
        "line 2 of starter_01.py: lora_delta returned nothing"
        in (lab_01(text)[0])
    )


def test_a_failing_assert_of_the_learners_names_its_line(lab_01):
    text = EMPTY.replace("return None", "assert x is None", 1)
    assert lab_01(text)[0] == "raised AssertionError, line 3 of starter_01.py"


def test_a_recursion_without_end_names_its_line(lab_01):
    text = EMPTY.replace("None", "lora_delta(x, A, B, scaling)", 1)
    reason = lab_01(text)[0]
    assert "raised RecursionError" in reason
    assert reason.endswith("line 3 of starter_01.py")


def test_an_import_that_fails_names_its_line(monkeypatch, tmp_path):
    path = tmp_path / "starter_01.py"
    path.write_text("import numpy as np\n\nnp.nothing\n", "utf-8")
    monkeypatch.setattr(
        "importlib.import_module", lambda _: runpy.run_path(str(path))
    )
    with pytest.raises(AssertionError, match=r"line 3 of starter_01\.py$"):
        starter("lora_delta")


def test_a_function_from_a_cell_names_the_cell(capsys):
    cell = {}
    text = "def my_delta(x, A, B):\n    return x\n"
    exec(compile(text, "/tmp/ipykernel_7/1234.py", "exec"), cell)
    assert not check(cell["my_delta"], name="lora_delta")
    said = capsys.readouterr().out
    assert "line 1 of the notebook's cell: lora_delta cannot be" in said
    assert "1234" not in said


def test_what_has_no_line_is_told_all_the_same(capsys):
    assert not check(len, name="gpus_saved")
    assert "your len: gpus_saved cannot be called" in capsys.readouterr().out
    for kind in (int, bool):
        assert not check(kind, name="AdapterSlotCache")
    assert "the class has no method activate" in capsys.readouterr().out
