"""Published claims: who said what, and the library's numbers beside it."""

import datetime
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.cache.load_cost import published_slot_times, slot_launches
from multilora.evidence import audits, pitches
from multilora.evidence.pitches import (
    CONDITION,
    FAILS,
    HOLDS,
    Audit,
    Case,
    verdict,
)
from multilora.memory.ledger import memory_ledger
from multilora.models.shipped import model_shape

EVERY = [item["id"] for item in pitches.pitches()]
each_pitch = pytest.mark.parametrize("name", EVERY)


@each_pitch
def test_a_pitch_names_who_said_what_where_and_how_we_read_it(name):
    claim = pitches.pitch(name)
    assert claim["url"].startswith("https://")
    assert claim["who"] and claim["claim"] and claim["reading"]
    assert claim["figures"] and claim["low"] <= claim["high"]
    said = re.findall(r"\d+(?:\.\d+)?", claim["claim"])
    assert said or name == "aws-five"  # whose numbers are words and 10 %


def test_the_claims_were_read_on_a_day_and_cannot_be_spoilt():
    assert datetime.date.fromisoformat(pitches.read_date())
    pitches.pitches().clear()
    pitches.pitch("tgi-30")["figures"].clear()
    assert pitches.pitch("tgi-30")["figures"]["adapters"] == 30
    assert len(set(EVERY)) == len(EVERY) == len(audits.audits())


CASES = st.lists(
    st.builds(
        Case, st.just("x"), st.integers(-5, 5), is_claimed=st.booleans()
    ),
    min_size=1,
).filter(lambda cases: any(case.is_claimed for case in cases))


@given(CASES, st.integers(-5, 5), st.integers(0, 5))
def test_a_verdict_counts_claimed_cases_in_the_range(cases, low, width):
    """Against a plain count; the ends of the range belong to it."""
    inside = outside = 0
    for case in cases:
        if case.is_claimed and low <= case.value <= low + width:
            inside += 1
        elif case.is_claimed:
            outside += 1
    wanted = FAILS if not inside else CONDITION if outside else HOLDS
    assert verdict(cases, low, low + width) == wanted


def test_cases_beyond_a_claim_are_shown_and_have_no_vote():
    claim = {"unit": "MB", "low": 1, "high": 2, "reading": "1 to 2"}
    item = Audit(claim, [Case("in", 2.0), Case("far", 1234.5, False)], "")
    assert str(item).splitlines() == [
        "MB, claimed: 1 to 2",
        "      2  yes     in",
        "  1,234  beyond  far",
        "verdict: holds",
    ]
    assert item.condition == []
    cases = [Case("in", 1), Case("out", 3), Case("beyond", 2, False)]
    assert Audit(claim, cases, "").condition == ["in"]


def test_a_load_is_copies_times_the_published_time_of_one():
    launches = slot_launches(
        model_shape("Llama-3.1-70B"), ["q_proj", "v_proj"], "0.8.5"
    )
    times = [item.us_per_launch for item in published_slot_times()]
    low, high = pitches.load_ms_range("Llama-3.1-70B", "q, v")
    assert low == pytest.approx(launches * min(times) / 1000)
    assert high == pytest.approx(launches * max(times) / 1000)
    assert pitches.load_ms_range("Llama-3.1-70B", "all linear")[0] > low
    # On the model that was measured, the range holds the measurement.
    low, high = pitches.load_ms_range("Llama-2-7B", "all linear")
    assert low <= 8.5 <= high


def test_throughput_falls_by_the_published_share_an_adapter():
    assert pitches.throughput_percent(0) == 100
    assert pitches.throughput_percent(64) == pytest.approx(62.5, abs=0.05)


def test_packed_copies_share_a_card_and_a_sixth_does_not_fit():
    rows = [pitches.packed_copies(copies) for copies in range(1, 7)]
    whole = memory_ledger(
        model_shape("Llama-2-7B"), 80, gpu_memory_utilization=0.92
    )
    # S-LoRA's launch command asks for 125,000 tokens on this card.
    assert rows[0]["kv_tokens"] == whole.kv_tokens
    assert rows[0]["kv_tokens"] == pytest.approx(125_000, rel=1e-3)
    assert [row["kv_tokens"] > 0 for row in rows] == [True] * 5 + [False]
    for row in rows[:5]:
        kept = row["copies"] * row["kv_tokens"] * whole.kv_token_bytes
        used = row["weight_gib"] + kept / 2**30
        assert 0 <= 0.92 * 80 - used < row["copies"] * 2**-7  # a block each
        assert row["requests"] == row["kv_tokens"] // 520


@given(
    st.integers(1, 30),
    st.floats(0.01, 1.0),
    st.floats(1.0, 24.0),
    st.integers(1, 24),
)
def test_a_days_load_keeps_the_mean_and_has_the_peak(
    tenants, mean, factor, spread
):
    """Whatever the peak, a tenant's day sums to 24 times the mean."""
    peak = mean * factor
    load = pitches.load_of_tenants(tenants, mean, peak, spread)
    assert load.mean() == pytest.approx(tenants * mean)
    together = -(-tenants // spread)  # most tenants with one busy hour
    assert load.max() >= together * peak * (1 - 1e-9)
    assert load.max() <= tenants * peak * (1 + 1e-9)


def test_a_peak_that_is_the_whole_day_is_allowed_in_spite_of_floats():
    assert 24 * 0.3 < 7.2  # and yet a day of 0.3 is an hour of 7.2
    load = pitches.load_of_tenants(3, 0.3, 7.2, 1)
    assert load.min() == pytest.approx(0) and load.min() >= 0
    assert load.max() == pytest.approx(3 * 7.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pitches.pitch(["tgi-30"]), "name is .* allowed"),
        (lambda: pitches.packed_copies(0), "copies is 0"),
        (lambda: pitches.throughput_percent(-1), "num_adapters is -1"),
        (lambda: pitches.load_ms_range("Llama-2-7B", "mlp"), "modules is"),
        (lambda: pitches.load_of_tenants(5, 0.1, 0.05, 1), "peak_load is"),
        (lambda: pitches.load_of_tenants(5, 0.1, 2.5, 1), "whole day, 2.4"),
        (lambda: pitches.load_of_tenants(5, 0.1, 1, 25), "spread_hours is"),
        (lambda: pitches.load_of_tenants(5, 0, 1, 1), "mean_load is 0"),
        (lambda: pitches.load_of_tenants(0, 0.1, 1, 1), "tenants is 0"),
        (lambda: verdict([Case("x", 1, False)], 0, 1), "cases hold none"),
        (lambda: verdict([Case("x", 1)], 2, 1), "high is 1"),
        (lambda: verdict([Case("x", "1")], 0, 1), "the value of 'x' is '1'"),
        (lambda: verdict([Case("x", math.nan)], 0, 1), "value of 'x' is nan"),
        (lambda: verdict([Case("x", True)], 0, 1), "value of 'x' is True"),
        (lambda: verdict([("x", 1)], 0, 1), "cases holds"),
        (lambda: verdict([Case("x", 1)], "0", 1), "low is '0'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
