"""Answers: right in another form, wrong in words that fit."""

from decimal import Decimal
from fractions import Fraction
from itertools import count

import numpy as np
import pytest

from multilora.exercises.answers import Number
from multilora.exercises.checking import ENTRIES, judge
from multilora.exercises.loading import cold_ttft_ms
from multilora.exercises.trouble import LOADS_SILENTLY
from multilora.labs.switch import SlipError


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
        ("cold_ttft", round(cold_ttft_ms(), 1)),
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
        ("causes", ["Deferral", "Seats", "Load", "Congestion ", "KV"]),
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


def test_a_slip_in_a_judge_of_ours_is_not_hidden_as_the_learners():
    """Errors of the library itself must stay loud."""
    broken = Number(lambda: 1 / 0, "{}")
    with pytest.raises(ZeroDivisionError):
        broken(3)
    with pytest.raises(SlipError):
        Number(lambda: 2, "{}")(3)
