"""The rule: by p99 and by tenants who are served in time, not by hits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import a_case
from multilora.plan.advice import ALIKE, SlotChoice, best_place, recommend
from multilora.plan.answer import Outcome, Slo
from multilora.plan.choices import slot_choices

SLO = Slo(ttft_p99_ms=500)
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(0.1, 1e7)),
        st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    ),
    max_size=8,
)


def choice(max_loras, p99_ms, share=1.0):
    """A choice of so many slots, or one that does not start."""
    if p99_ms is None:
        return SlotChoice(max_loras, 1, 0, 5, None)
    outcome = Outcome(
        p50_ms=1, p99_ms=p99_ms, gap_ms=1, share=share, hit_rate=0.5,
        busy=0.5, num_slot_loads=1, num_disk_loads=0,
    )  # fmt: skip
    return SlotChoice(max_loras, 1, 9000, 9999, outcome)


@given(ROWS, st.floats(0, 1))
def test_the_place_is_that_of_a_plain_loop(rows, wanted):
    times, shares = [r[0] for r in rows], [r[1] for r in rows]
    pool = [k for k in range(len(rows)) if times[k] is not None]
    met = [k for k in pool if shares[k] >= wanted]
    if not met and pool:
        most = max(shares[k] for k in pool)
        met = [k for k in pool if shares[k] == most]
    expected = None
    for k in met:
        if times[k] <= ALIKE * min(times[j] for j in met):
            expected = k
            break
    assert best_place(times, shares, wanted) == expected


def test_of_equals_it_takes_the_most_slots():
    rows = [choice(8, 900, 0.5), choice(16, 100), choice(24, 98)]
    advice = recommend(rows, SLO)
    assert advice.choice.max_loras == 24 and advice.is_met
    assert "max_loras=24: p99 98 ms, 100.0 % of tenants" in advice.reason
    assert "max_loras=16: p99 100 ms" in advice.reason


def test_more_slots_can_be_worse_and_then_fewer_are_taken():
    """64 slots leave less KV than 32: the p99 says so, hits do not."""
    rows = [choice(16, 900), choice(32, 270), choice(64, 620)]
    advice = recommend(rows, Slo(ttft_p99_ms=1000))
    assert advice.choice.max_loras == 32
    assert "max_loras=64: p99 620 ms" in advice.reason


def test_where_no_slots_reach_the_slo_it_says_so():
    advice = recommend([choice(4, 9e5, 0.1), choice(8, 8e5, 0.1)], SLO)
    assert not advice.is_met and advice.choice.max_loras == 8
    assert "no number of slots reaches the SLO" in advice.reason


def test_where_none_starts_it_names_the_smallest():
    advice = recommend([choice(4, None), choice(1, None)], SLO)
    assert advice.choice is None and not advice.is_met
    assert "the card is full: max_loras=1" in advice.reason


def test_what_does_not_start_is_said_of_a_neighbour():
    advice = recommend([choice(4, 100), choice(8, None)], SLO)
    assert "max_loras=8 does not start for sure" in advice.reason


def test_hits_that_are_high_do_not_make_a_choice_good():
    """Lab 04's case: nine in ten hit, and half of the tenants are late."""
    case = a_case(40, rate=12, slo_ms=200, ranks=[16])
    few, many = slot_choices(case, [16, 40])
    assert few.outcome.hit_rate < many.outcome.hit_rate == 1
    assert recommend([few, many], case.slo).choice == many


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: recommend([], SLO), "choices is empty"),
        (lambda: best_place([1.0], []), "shares holds 0"),
        (lambda: best_place([1.0], [2.0]), "shares is 2.0"),
        (lambda: best_place([-1.0], [1.0]), "p99_ms is -1.0"),
        (lambda: best_place([1.0], [1.0], 1.5), "wanted_share is 1.5"),
    ],
)
def test_what_is_no_choice_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_other_kinds_are_named():
    with pytest.raises(TypeError, match="slo is 500"):
        recommend([choice(1, 1)], 500)
    with pytest.raises(TypeError, match="choices holds 3"):
        recommend([3], SLO)
