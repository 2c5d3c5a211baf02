"""Odd answers and wrong names get one clear line."""

import sys
from decimal import Decimal
from itertools import count, cycle

import numpy as np
import pytest

from multilora.cache.slots import Request
from multilora.exercises import check_exercise
from multilora.exercises.checking import ENTRIES, judge


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
