"""A typed starter gets what `make grade` gives the same text."""

import builtins
import sys

import pytest

from multilora.inpage import post
from multilora.inpage.calls import call, grade
from multilora.inpage.grading import MOST_CHARACTERS, graded
from multilora.labs import NAMES
from multilora.labs.checks import grade_lab
from workbenches import ANSWERS


@pytest.fixture
def told():
    heard = []
    post.attach(lambda kind, text: heard.append((kind, text)))
    yield heard
    post.detach()


@pytest.mark.parametrize("lab", NAMES)
def test_the_librarys_answers_get_full_marks(lab):
    verdicts = {item.verdict for item in graded(lab, ANSWERS[lab])}
    assert verdicts == {"pass"}


@pytest.mark.parametrize("lab", NAMES)
def test_an_empty_file_defines_nothing(lab):
    reasons = {item.reason for item in graded(lab, "")}
    assert all("does not define" in reason for reason in reasons)


def test_an_error_names_the_learners_own_line():
    source = "\n\ndef lora_delta(x, A, B, scaling):\n    return x @ B\n"
    reasons = [item.reason for item in graded("01", source)]
    assert any("line 4 of starter_01.py" in reason for reason in reasons)


def test_a_syntax_error_is_told_with_its_file():
    reasons = {item.reason for item in graded("01", "def f(:\n")}
    assert all("starter_01.py does not import" in one for one in reasons)


def test_the_starter_on_the_disk_is_left_alone():
    before = grade_lab("01")
    graded("01", ANSWERS["01"])
    assert grade_lab("01") == before


def test_what_a_starter_replaces_is_put_back_and_named(told):
    before = builtins.len
    graded("01", "import builtins\nbuiltins.len = lambda x: 0\n")
    assert builtins.len is before
    assert any("builtins.len" in text for _, text in told)


def test_a_replaced_answer_of_the_library_does_not_stay(told):
    source = "from multilora.matmul import lora\nlora.lora_delta = None\n"
    graded("01", source + ANSWERS["01"])
    assert {item.verdict for item in graded("01", ANSWERS["01"])} == {"pass"}
    assert any("multilora.matmul.lora.lora_delta" in text for _, text in told)


@pytest.mark.parametrize("lab", NAMES)
def test_honest_code_replaces_nothing(told, lab):
    for _ in range(2):
        graded(lab, ANSWERS[lab])
    assert told == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (
            "from multilora.cache.slots import AdapterSlotCache as C\n"
            "C.activate = lambda self, adapter_id: 0\n",
            "multilora.cache.slots.AdapterSlotCache.activate",
        ),
        ("import sys\nsys.meta_path.clear()\n", "sys.meta_path"),
        ("import sys\nsys.path[:] = []\n", "sys.path"),
        ("import sys\nsys.modules.pop('json')\n", "sys.modules"),
    ],
)
def test_whatever_python_grades_by_is_put_back(told, source, name):
    graded("04", source)
    assert any(name in text for _, text in told)
    told.clear()
    assert {item.verdict for item in graded("04", ANSWERS["04"])} == {"pass"}
    assert told == []


def test_a_limit_of_recursion_lasts_for_one_call():
    before = sys.getrecursionlimit()
    graded("01", "import sys\nsys.setrecursionlimit(10**8)\n")
    assert sys.getrecursionlimit() == before


def test_code_that_breaks_the_tests_is_told_in_a_sentence():
    source = "import builtins\nbuiltins.len = None\n"
    with pytest.raises(ValueError, match="broke the tests themselves: "):
        graded("01", source)


def test_an_error_without_a_text_is_a_wrong_answer():
    source = (
        "class E(Exception):\n    def __str__(self):\n        return 1 / 0\n"
        "raise E\n"
    )
    reasons = {item.reason for item in graded("01", source)}
    assert all("E: its own text cannot be had" in one for one in reasons)


def test_counts_and_sentences_are_those_of_the_report():
    found = grade("03", ANSWERS["03"])
    assert found["score"] == "6 of 6 tests pass"
    assert len(found["lines"]) == len(found["verdicts"]) == 6


def test_bad_calls_are_refused_in_a_sentence():
    assert "refused" in call("grade", '{"lab": "09", "source": ""}')
    assert "refused" in call("nothing", "{}")
    assert "refused" in call("grade", "[")
    assert "refused" in call("grade", '{"lab": "01"}')
    long = "#" * (MOST_CHARACTERS + 1)
    with pytest.raises(ValueError, match="at most 200,000"):
        graded("01", long)
