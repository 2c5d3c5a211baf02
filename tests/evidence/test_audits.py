"""Each claim keeps the verdict that its cases give."""

import re

import pytest

from multilora.adapters.file import adapter_file_bytes, adapter_params
from multilora.evidence import audits, pitches
from multilora.evidence.pitches import CONDITION, FAILS, HOLDS
from multilora.fleet.sizing import engines_under_load
from multilora.models.shapes import ATTENTION
from multilora.models.shipped import model_shape

EVERY = [item["id"] for item in pitches.pitches()]
VERDICTS = {
    "tgi-30": HOLDS,
    "guide-16m": CONDITION,
    "ray-1": CONDITION,
    "faraday-168": FAILS,
    "lumnt-120": CONDITION,
    "lumnt-2ms": CONDITION,
    "slora-4x": CONDITION,
    "aws-five": CONDITION,
}
each_pitch = pytest.mark.parametrize("name", EVERY)


def values(name):
    return {case.what: case.value for case in audits.audit(name).cases}


@each_pitch
def test_every_claim_keeps_the_verdict_that_its_cases_give(name):
    item = audits.audit(name)
    fits = [item.fits(case) for case in item.cases if case.is_claimed]
    assert item.verdict == VERDICTS[name]
    assert (item.verdict == HOLDS) == all(fits)
    assert (item.verdict == FAILS) == (not any(fits))
    assert bool(item.condition) == (item.verdict == CONDITION)
    assert len(item.condition) == (sum(fits) if item.condition else 0)


def test_sizes_are_those_of_the_file_that_peft_writes():
    llama, mistral = model_shape("Llama-3.1-70B"), model_shape("Mistral-7B")
    named = adapter_file_bytes(mistral, 8, ["q_proj", "v_proj"], "F32")
    assert round(named / 1e6, 1) == 13.6  # as the post says
    share = 100 * 30 * named / (2 * mistral.num_params)
    first, cast, *beyond = audits.audit("tgi-30").cases
    assert first.value == pytest.approx(share) and first.is_claimed
    assert cast.value == pytest.approx(share / 2, rel=2e-3)  # but the header
    assert cast.is_claimed and not any(case.is_claimed for case in beyond)
    found = values("lumnt-120")
    assert found["q, v, 16 bits"] == pytest.approx(131.1, abs=0.05)
    size = adapter_file_bytes(llama, 32, "all-linear", "F32") / 1e6
    assert found["all linear, fp32 as PEFT saves it"] == size
    found = values("guide-16m")
    assert found["Qwen2.5-7B, q, k, v, o"] == pytest.approx(
        adapter_params(model_shape("Qwen2.5-7B"), 8, ATTENTION) / 1e6
    )


def test_the_square_formula_gives_the_figure_that_does_not_hold():
    right, square = audits.audit("faraday-168").cases
    assert round(square.value) == 168 and not square.is_claimed
    # Eight KV heads for 64 query heads: in + out of k is 9/16 of q's.
    assert right.value / square.value == pytest.approx(25 / 32, abs=1e-3)


def test_a_share_is_linear_in_rank():
    found = values("ray-1")
    for base in ("Llama-3.1-8B", "Llama-3.1-70B"):
        one = found[f"{base}, rank 8, all linear"]
        eight = found[f"{base}, rank 64, all linear"]
        assert eight / one == pytest.approx(8, rel=1e-2)


def test_a_switch_is_judged_by_the_pages_own_table_and_not_by_loads():
    """The page has all adapters in GPU memory: a load is beyond it."""
    item = audits.audit("lumnt-2ms")
    claimed = [case.value for case in item.cases if case.is_claimed]
    assert claimed == [0, 1, 2, 4, 9]
    assert [case.is_claimed for case in item.cases[5:]] == [False] * 4
    assert all("load" in case.what for case in item.cases[5:])
    assert len(item.condition) == 3 and "4 in a batch" in item.condition[-1]
    assert item.instead.startswith("2 ms for up to 4 adapters")
    assert "9 ms for 64" in item.instead and "10 to 23 ms" in item.instead


def test_four_times_needs_five_copies_whatever_the_ranks():
    """As in the authors' table: 8.05 and 7.48 to 2.04; 4.49 to 3.83."""
    ratios = list(values("slora-4x").values())
    assert len(ratios) == 6
    five, mixed, larger = ratios[3:]
    assert five == pytest.approx(8.05 / 2.04, abs=0.01)
    assert mixed == pytest.approx(7.48 / 2.04, abs=0.01)
    assert larger == pytest.approx(4.49 / 3.83, abs=0.01)
    assert mixed > 3 * max(*ratios[:3], larger)
    held = audits.audit("slora-4x").condition
    assert held == ["packed copies of a 7B: 5",
                    "packed copies of a 7B: 5, mixed ranks"]  # fmt: skip
    said = audits.audit("slora-4x").instead
    assert said.startswith("3.9 times where five copies leave 4,432 KV")
    rows = pitches.pitch("slora-4x")["figures"]["rows"]
    offered = pitches.pitch("slora-4x")["figures"]["offered_req_s"]
    assert max(row["packed_req_s"] for row in rows) < 1.02 * offered


def test_five_customers_need_gpus_by_when_they_are_busy():
    found = list(values("aws-five").values())
    assert found == [1, 1, 1, 2, 3, 2, 5]
    taxes = pitches.pitch("aws-five")["figures"]["taxes"]
    without, with_lora = taxes[0]["req_s"]
    assert taxes[0]["share"] == round(1 - with_lora / without, 2)
    # The harshest tax fills the GPU to the brim: one more per cent is two.
    even = pitches.load_of_tenants(5, 0.1, 0.1, 1).max()
    assert even / (1 - taxes[1]["share"]) == pytest.approx(1)
    assert engines_under_load(5, 5, [even / 0.49]) == 2


@each_pitch
def test_what_one_would_have_to_say_holds_numbers_of_the_cases(name):
    """A sentence, whose decimals are rounded values of its own cases."""
    item = audits.audit(name)
    assert item.instead.endswith(".") and len(item.instead) < 250
    rounded = {f"{case.value:.{n}f}" for case in item.cases for n in (1, 2)}
    assert set(re.findall(r"\d+\.\d+", item.instead)) <= rounded


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: audits.audit("x"), "name is 'x', allowed: 'tgi-30'"),
        (lambda: audits.file_mb("Llama-2-7B", 8, "q", "F16"), "modules is"),
        (lambda: audits.file_mb("Llama-2-7B", 0, "q, v", "F16"), "rank is 0"),
        (lambda: audits.share_percent("x", 1), "name is 'x'"),
        (lambda: audits.share_percent("Mistral-7B", "1"), "num_bytes is"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
