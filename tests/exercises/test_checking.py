"""Every exercise: its stub, its answer, its slips and a constant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.exercises.answers import Function, Items, Number
from multilora.exercises.checking import ENTRIES, PARTS, judge

CHECKED = [name for name, entry in ENTRIES.items() if entry.answer]
FUNCTIONS, NUMBERS, ITEMS = (
    [name for name in CHECKED if isinstance(ENTRIES[name].answer, kind)]
    for kind in (Function, Number, Items)
)


def known_slips():
    for name in CHECKED:
        answer = ENTRIES[name].answer
        if name in FUNCTIONS:
            yield from ((name, slip, wrong) for slip, wrong in answer.slips)
        elif name in NUMBERS + ITEMS:
            slips = answer.slips()
            pairs = slips.items() if isinstance(slips, dict) else slips
            yield from ((name, slip, wrong) for slip, wrong in pairs)


def test_there_are_enough_exercises_of_every_part():
    assert len(ENTRIES) >= 24
    assert len(CHECKED) >= 15
    assert {entry.part for entry in ENTRIES.values()} == set(PARTS)
    numbers = [entry.number for entry in ENTRIES.values()]
    assert numbers == list(range(1, len(ENTRIES) + 1))


@pytest.mark.parametrize("name", CHECKED)
def test_a_stub_is_not_attempted_yet(name):
    def stub(*arguments):
        """A learner's function with a docstring and nothing else."""

    for answer in (None, stub, lambda *arguments: None):
        if answer is not None and name not in FUNCTIONS:
            continue
        outcome = judge(name, answer)
        assert outcome.verdict == "not attempted yet"


@pytest.mark.parametrize("name", FUNCTIONS + NUMBERS + ITEMS)
def test_the_librarys_own_answer_passes(name):
    answer = ENTRIES[name].answer
    given = answer.key if name in FUNCTIONS else answer.key()
    assert judge(name, given).verdict == "pass"


@pytest.mark.parametrize(
    ("name", "sentence", "wrong"),
    list(known_slips()),
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_known_slip_is_named(name, sentence, wrong):
    """Each slip gets its own sentence, not the one of another slip."""
    outcome = judge(name, wrong)
    assert (outcome.verdict, outcome.reason) == ("wrong", sentence)


def test_every_checked_exercise_knows_slips():
    known = {name for name, *_ in known_slips()}
    assert known == set(CHECKED) - {"walk_order"}  # judged by its loads


@given(factor=st.floats(1.0001, 50), is_below=st.booleans())
def test_another_number_is_wrong_and_does_not_give_the_right_one_away(
    factor, is_below
):
    for name in NUMBERS:
        right = ENTRIES[name].answer.key()
        wrong = right / factor if is_below else right * factor
        if abs(wrong / right - 1) <= 1.1 * ENTRIES[name].answer.within:
            continue
        outcome = judge(name, wrong)
        assert outcome.verdict == "wrong"
        assert f"{right:,}" not in outcome.reason.replace(f"{wrong}", "")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_wrong_in_its_last_case_fails_there(name):
    answer = ENTRIES[name].answer
    cases = answer.cases()
    calls = []

    def nearly(*case):
        calls.append(case)
        return "?" if len(calls) == len(cases) else answer.key(*case)

    outcome = judge(name, nearly)
    assert outcome.verdict == "wrong"
    assert "gave '?'" in outcome.reason


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "constant", [0, 1, -1, 7.5, "text", [], {}, float("nan"), True, object()]
)
def test_a_constant_function_never_passes(name, constant):
    outcome = judge(name, lambda *case: constant)
    assert outcome.verdict == "wrong"
