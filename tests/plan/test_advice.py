"""The advice against a plain loop, and its sentences."""

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from multilora.cache.policies import lru_hits
from multilora.figures import plan as pictures
from multilora.memory.ledger import memory_ledger
from multilora.models.shipped import model_shape
from multilora.plan import options as plan
from multilora.plan.advice import recommend

LLAMA = model_shape("Llama-3.1-8B")


def option(max_loras, hit_rate, kv_tokens=10_000):
    """A row of a table, made by hand; uniform traffic of ten tenants."""
    can_start = kv_tokens > 0
    return plan.SlotOption(
        max_loras,
        1,
        kv_tokens + 9,
        kv_tokens,
        kv_tokens + 5,
        can_start,
        hit_rate,
        max_loras / 10,
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.floats(0, 1)), min_size=1, max_size=9
    ),
    st.floats(0, 1),
    st.integers(1, 20),
)
def test_the_advice_is_the_first_row_that_does(cells, wanted, least):
    """Against a plain loop over the rows; the best is the first with most."""
    rows = [option(n, rate, kv) for n, (kv, rate) in enumerate(cells, 1)]
    advice = recommend(rows[::-1], wanted, least)
    first = best = None
    for row in rows:
        if row.kv_tokens_low >= least:
            if first is None and row.hit_rate >= wanted:
                first = row
            if best is None or row.hit_rate > best.hit_rate:
                best = row
    assert advice.option == first
    assert advice.best == best
    assert advice.reason


def test_it_says_which_of_card_and_traffic_is_in_the_way():
    """A full card under skewed and uniform traffic; no room; no hits."""
    skewed = [option(1, 0.5), option(2, 0.8), option(3, 0.95, 100)]
    rows = [*skewed, option(4, 0.99, 0)]
    said = recommend(rows, 0.9, 5000).reason
    assert said == (
        "the card is full: 90.0 % takes max_loras=3, which leaves 100 KV "
        "tokens at worst where 5,000 are wanted; max_loras=2 fits and hits "
        "80.0 %"
    )
    uniform = [option(1, 0.1), option(2, 0.2), option(9, 0.9, 0)]
    said = recommend(uniform, 0.9).reason
    assert said.endswith("asked alike: send fewer tenants to this engine")
    none = [option(1, 0.5, 7), option(2, 0.6, 0)]
    said = recommend(none, 0.1, 8).reason
    assert said == (
        "the card is full: max_loras=1 leaves 7 KV tokens at worst and 8 "
        "are wanted"
    )
    said = recommend([*uniform, option(10, 0.92)], 0.95).reason
    assert said == (
        "the traffic does not give it: max_loras=10, the most in the table, "
        "hits 92.0 % and 95.0 % is wanted"
    )
    said = recommend(skewed, 0.8).reason
    assert said == (
        "max_loras=2 hits 80.0 % and leaves 10,000 to 10,005 KV tokens"
    )


def test_fewer_tenants_are_advised_where_all_ask_about_alike():
    """Up to five points above uniform traffic, whose rate is 20 % here."""
    for rate, is_said in ((0.24, True), (0.26, False)):
        rows = [option(2, rate), option(9, 0.9, 0)]
        assert ("asked alike" in recommend(rows, 0.9).reason) == is_said


def test_a_short_table_does_not_accuse_the_traffic():
    """Two rows of forty tenants hit little; more slots would hit all."""
    rows = plan.slot_options(LLAMA, 80, [*range(40)] * 50, 16, [1, 2])
    said = recommend(rows, 0.9).reason
    assert said.startswith("the table ends too early: max_loras=2, its last")
    rows = plan.slot_options(LLAMA, 80, [*range(40)] * 50, 16, [1, 2, 40])
    assert recommend(rows, 0.9).option.max_loras == 40
    said = recommend(rows, 1).reason
    assert said.startswith("the traffic does not give it: max_loras=40")


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_rate_too_low_never_looks_like_the_wanted_one(one, other):
    rate, wanted = sorted([one, other])
    assume(wanted - rate > 1e-12)
    said = recommend([option(10, rate)], wanted).reason
    shown = [float(word) for word in re.findall(r"([\d.]+) %", said)]
    assert len(shown) == 2
    assert shown[0] < shown[1]
    near = recommend([option(10, 0.89998)], 0.9).reason
    assert "hits 89.998 % and 90.000 % is wanted" in near


@given(st.sampled_from([16, 64]), st.floats(0.1, 0.95))
def test_what_it_recommends_starts_and_hits_that_often(rank, wanted):
    trace = pictures.shaped_trace("zipf")
    advice = recommend(plan.slot_options(LLAMA, 24, trace, rank), wanted)
    assume(advice.option is not None)
    count = advice.option.max_loras
    assert memory_ledger(LLAMA, 24, count, rank).can_start
    assert lru_hits(trace, count) / len(trace) >= wanted
    assert count == 1 or lru_hits(trace, count - 1) / len(trace) < wanted


BAD = [
    (lambda: recommend([], 0.9), "options is empty"),
    (lambda: recommend([option(1, 1)], 1.1), "wanted_hit_rate is 1.1"),
    (lambda: recommend([option(1, 1)], math.nan), "wanted_hit_rate is"),
    (lambda: recommend([option(1, 1)], 1, 0), "min_kv_tokens is 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_what_is_no_table_is_a_type_error():
    with pytest.raises(TypeError, match="options holds 3"):
        recommend([3], 0.5)
