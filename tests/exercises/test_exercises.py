"""The exercises: stubs, worked solutions, slips by name, odd answers."""

import sys
from decimal import Decimal
from fractions import Fraction
from itertools import count, cycle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.slots import Request
from multilora.exercises import ageing, check_exercise, situations
from multilora.exercises.answers import Function, Items, Number
from multilora.exercises.checking import ENTRIES, PARTS, judge
from multilora.exercises.compare import distance, same
from multilora.exercises.trouble import LOADS_SILENTLY
from multilora.labs.switch import SlipError
from multilora.matmul.operands import BASE
from multilora.serving.diagnosis import CAUSES, causes_ns
from multilora.serving.steps import Job, simulate, steps_waited

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DOTS = {1: "●○○", 2: "●●○", 3: "●●●"}
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


def raises(*case):
    raise RuntimeError("broken here")


class Unfinished:
    def __repr__(self):
        raise RuntimeError("no words yet")

    __eq__ = __repr__


class Broken(list):
    """A row that raises whichever way one looks at it."""

    def __len__(self):
        raise OSError("broken")

    __iter__ = __float__ = __len__


class BrokenNumber(float):
    def item(self):
        raise OSError("broken")


class MuteError(Exception):
    def __str__(self):
        raise OSError("broken")


def raising(error):
    def learners(*case):
        raise error

    return learners


ODD = [
    10**400, Unfinished(), lambda *case: Unfinished(), lambda *case: 10**400,
    float("nan"), float("inf"), 1j, True, "1158", b"7", [], {}, set(), (),
    np.arange(3.0), np.array([]), np.array(["a"]), np.float64("nan"), int,
    object(), [None], [[1], [2]], {"a": 1}, len, raises, range(3), iter([1]),
    Ellipsis, lambda: None, lambda *case: case, np.ma.masked, Request("a", 1),
    -(10**400), 10**5000, Broken([1]), BrokenNumber(3), [Unfinished()] * 6,
    [np.array([1, 2])] * 6, count(), cycle([1]), [float("nan")] * 6,
    Decimal("nan"), raising(MuteError()), raising(ValueError("a\nb" * 400)),
    lambda *case: Broken([1]), lambda *case: (yield 1),
]  # fmt: skip


EVERY_KIND = (
    "segments", "delta_from_alpha", "tenant_hit_rates", "aged_step",
    "delta_share", "smallest_card", "cold_ttft", "lru_by_hand",
    "silent_misfits", "walk_order", "new_base", "no such exercise",
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_an_odd_answer_gets_one_clear_line(odd, capsys):
    for name in EVERY_KIND:
        check_exercise(name, odd)
        said = capsys.readouterr().out
        assert said.count("\n") == 1
        assert said[0] in "✗·" and len(said) < 330
        assert "Traceback" not in said and " at 0x" not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kv_block_lost", "did you mean 'kv_blocks_lost'?"),
        ("KV blocks lost", "did you mean 'kv_blocks_lost'?"),
        ("Cliff", "did you mean 'cliff'?"),
        ("quux", "no exercise has this name\n"),
        (lambda ids: ids, "the name comes first, as text"),
        (None, "no exercise has this name"),
        (["cliff"], "no exercise has this name"),
        (7, "no exercise has this name"),
    ],
)
def test_a_wrong_name_is_a_sentence(name, words, capsys):
    check_exercise(name, 1)
    assert words in capsys.readouterr().out


def test_a_function_that_raises_is_a_line_with_type_and_message():
    reason = judge("kv_blocks_lost", raises).reason
    assert "raised RuntimeError: broken here" in reason
    assert "Llama-3.1-8B, 24, 8, 16" in reason
    exits = judge("segments", lambda ids: sys.exit(3))
    assert "raised SystemExit: 3" in exits.reason
    few = judge("segments", lambda: [])
    assert "raised TypeError" in few.reason


def test_an_interrupt_passes_through():
    def interrupted(ids):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("segments", interrupted)


def test_a_forgotten_return_is_not_a_stub():
    def computes(ids):
        sorted(ids)

    assert "is a `return` missing?" in judge("segments", computes).reason

    def on_one_path(ids):
        if len(ids) > 1:
            return ENTRIES["segments"].answer.key(ids)

    assert "gave None" in judge("segments", on_one_path).reason


def test_a_list_that_grows_from_call_to_call_is_told_as_it_was_returned():
    """The first case was right, so the line must show a later one."""

    def grows(ids, spans=[]):  # noqa: B006
        spans.extend(ENTRIES["segments"].answer.key(ids))
        return spans

    reason = judge("segments", grows).reason
    assert reason.startswith("([1, 0, 1]) gave [(0, 0, 1), (0, 0, 1), ")
    assert "3 entries, there should be 2" in reason


def test_an_argument_that_is_changed_in_place_is_named():
    def sorts(ids):
        right = ENTRIES["segments"].answer.key(ids)
        ids.sort()
        return right

    assert "changed in place" in judge("segments", sorts).reason


def share_by_hand(ranks, max_lora_rank):
    return 1 - sum(ranks) / (len(ranks) * max_lora_rank)


def in_float32(x, A, B, alpha):
    x, A, B = (item.astype(np.float32) / 3 for item in (x, A, B))
    return 27 * np.float32(alpha / len(A)) * (x @ A.T @ B.T)


def spans_by_hand(ids):
    starts = [sum(item < k for item in ids) for k in sorted(set(ids))]
    stops = [*starts[1:], len(ids)]
    return list(zip(sorted(set(ids)), starts, stops, strict=True))


def in_numpy(trace, max_loras):
    rates = ENTRIES["tenant_hit_rates"].answer.key(trace, max_loras)
    return {np.int64(item): np.float64(rate) for item, rate in rates.items()}


def test_a_number_rounded_to_three_places_is_not_a_right_one():
    """float32 may round; a learner who does so should read why not."""
    rounded = judge(
        "wasted_share", lambda *case: round(share_by_hand(*case), 3)
    )
    assert "by less than 1 %" in rounded.reason


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("causes", ["deferred", "seats", "load", "own"], "'deferred' is none"),
        (
            "silent_misfits",
            {"NaN weight"},
            "'NaN weight' is none of the names",
        ),
        ("silent_misfits", {"DoRA", "NaN weights"}, "1 of 2 right, 2 missing"),
        ("silent_misfits", set(), "0 of 0 right, 3 missing"),
        ("defer", ["a"], "1 entry, there should be 4"),
        ("defer", "abde", "'abde' is no list"),
        ("smallest_card", 24.9, "24.9: a whole number is wanted"),
        ("smallest_card", 10**400, ": far too large"),
        ("smallest_card", 30, "30: too large, by less than a factor of 2"),
        ("odd_file", 17, "that is for one tensor's name"),
        ("lru_by_hand", count(), "more than 1000 entries"),
    ],
)
def test_what_is_wrong_is_said_in_words_that_fit(name, answer, words):
    assert words in judge(name, answer).reason


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("smallest_card", 25.0),
        ("smallest_card", np.int64(25)),
        ("smallest_card", Decimal(25)),
        ("smallest_card", Fraction(50, 2)),
        ("smallest_card", np.array(25)),
        ("cold_ttft", 147.3),
        ("wasted_share", lambda *case: np.float32(share_by_hand(*case))),
        ("delta_from_alpha", lambda *case: in_float32(*case)),
        ("segments", lambda ids: np.array(spans_by_hand(ids))),
        ("tenant_hit_rates", lambda *case: in_numpy(*case)),
        ("lru_by_hand", (7, 1, 3)),
        ("lru_by_hand", np.array([7, 1, 3])),
        ("walk_order", (4, 6, 1, 2, 8, 7)),
        ("walk_order", np.array([4.0, 6, 1, 2, 8, 7])),
        ("silent_misfits", sorted(LOADS_SILENTLY)),
        ("silent_misfits", [name.upper() for name in LOADS_SILENTLY]),
        ("defer", (name for name in "abde")),
        ("defer", "a b d e".split()),
        ("causes", ["Deferral", "Seats", "Load", "Congestion "]),
    ],
)
def test_a_right_answer_in_another_form_passes(name, answer):
    assert judge(name, answer).verdict == "pass"


def test_an_order_that_loads_twice_or_is_none_is_refused():
    assert "costs 5 loads" in judge("walk_order", [7, 8, 1, 2, 4, 6]).reason
    assert "costs 3 loads" in judge("walk_order", [2, 7, 1, 4, 8, 6]).reason
    for order in (
        [*range(1, 9)],
        [1, 2, 4, 6, 7],
        [1, 2, 4, 6, 7, 7],
        [1, 2, 3, 4, 5, 6],
    ):
        assert "each once" in judge("walk_order", order).reason


def test_each_situation_has_a_cause_of_its_own_and_a_clear_one():
    found = []
    for name in situations.NAMES:
        run = situations.situation(name)
        is_slow = run.ttft_ns >= np.percentile(run.ttft_ns, 90)
        waits = {
            cause: causes_ns(run)[cause][is_slow].sum() for cause in CAUSES
        }
        del waits["own"]
        second, first = sorted(waits.values())[-2:]
        assert first > 5 * second
        found.append(max(waits, key=waits.get))
    assert len(set(found)) == len(found) == len(CAUSES) - 1


jobs_of = st.lists(
    st.tuples(st.integers(-1, 4), st.integers(0, 12), st.integers(1, 5)),
    min_size=1,
    max_size=25,
)


def as_jobs(rows):
    return [Job(str(n), *row) for n, row in enumerate(rows)]


@given(rows=jobs_of, max_loras=st.integers(1, 3))
def test_without_patience_to_lose_ageing_is_the_plain_scheduler(
    rows, max_loras
):
    jobs = as_jobs(rows)
    waited, loads = ageing.play(jobs, max_loras, patience=10**6)
    steps = simulate(jobs, max_loras)
    assert waited == steps_waited(jobs, steps)
    assert loads == sum(step.num_loads for step in steps)


def walled(waiting, running, max_loras, waited, patience):
    """The rule, request by request."""
    active = {item[1] for item in running} - {BASE}
    admitted, deferred, is_wall = [], [], False
    for item in waiting:
        fits = item[1] in active or len(active) < max_loras
        if item[1] == BASE or (fits and not is_wall):
            admitted.append(item)
            active |= {item[1]} - {BASE}
            continue
        if not deferred and waited[item[0]] >= patience:
            is_wall = True
        deferred.append(item)
    return admitted, deferred


@given(
    ids=st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 9)), max_size=9),
    running=st.lists(st.integers(-1, 1), max_size=2),
    max_loras=st.integers(2, 3),
    patience=st.integers(0, 9),
)
def test_the_rule_is_a_plain_loop_with_a_wall(
    ids, running, max_loras, patience
):
    waiting = [Request(str(n), item) for n, (item, _) in enumerate(ids)]
    waited = {str(n): age for n, (_, age) in enumerate(ids)}
    running = [Request(f"r{n}", item) for n, item in enumerate(running)]
    case = (waiting, running, max_loras, waited, patience)
    assert ageing.aged_step(*case) == walled(*case)


def test_play_refuses_a_rule_that_never_admits():
    def nobody(waiting, running, max_loras, waited, patience):
        return [], waiting

    with pytest.raises(ValueError, match="1 jobs not done after"):
        ageing.play([Job("a", 1, 0, 1)], 1, 0, nobody)


@pytest.mark.parametrize(
    ("mine", "right", "is_same"),
    [
        (True, 1, False),
        (1.0, 1, True),
        (10**15 + 1, 10**15, False),
        (0.1 + 0.2, 0.3, True),
        ([1, (2, 3)], [1, [2, 3]], True),
        ([1, 2], [1, 2, 3], False),
        ({1: 2}, {1: 2.0}, True),
        ({1: 2, 3: 4}, {1: 2}, False),
        ([[1.0, 2.0]], np.array([[1.0, 2.0]]), True),
        ([1.0, 2.0], np.array([[1.0, 2.0]]), False),
        ("a", "a", True),
        ("12", [1, 2], False),
        (float("nan"), 1.0, False),
    ],
)
def test_same_is_equal_up_to_rounding_and_form(mine, right, is_same):
    assert same(mine, right) is is_same


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (100.5, "a whole number is wanted"),
        (101, "too large, by less than 1 %"),
        (91, "too small, by less than 10 %"),
        (199, "too large, by less than a factor of 2"),
        (20, "too small, by a factor between 2 and 10"),
        (5_000, "too large, more than ten times"),
        (-100, "too small"),
        (float("inf"), "that is no finite number"),
        (10**400, "far too large"),
        (-(10**400), "far too small"),
        ("100", "a number is wanted"),
    ],
)
def test_how_far_off_is_said_in_bands(mine, words):
    assert distance(mine, 100) == words


def test_a_slip_in_a_judge_of_ours_is_not_hidden_as_the_learners():
    """Errors of the library itself must stay loud."""
    broken = Number(lambda: 1 / 0, "{}")
    with pytest.raises(ZeroDivisionError):
        broken(3)
    with pytest.raises(SlipError):
        Number(lambda: 2, "{}")(3)
