"""A reader's own sliders: the plan's own numbers, and no wrong argument."""

import math
import re

import numpy as np
import pytest

from bad_input import WRONG
from multilora.figures import own_case, own_log, style
from multilora.logs.read import read_log
from multilora.plan.answer import Slo
from multilora.plan.choices import slot_choices
from multilora.plan.played import ledger_of, memory_of
from multilora.plan.tenants import tenants_of
from multilora.units import GIB

START = {
    "model": "Llama-3.1-8B", "card_gib": 79.1, "max_lora_rank": 16,
    "max_loras": 8, "tenants": 40, "slo_ms": 1000,
}  # fmt: skip


@pytest.fixture
def used(tmp_path):
    """Put a log of these lines behind the drawing, for one test."""

    def used(*rows):
        path = tmp_path / "log.csv"
        head = "time,adapter,prompt_tokens,output_tokens"
        path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
        own_log.use(read_log(path))

    yield used
    own_log._used.clear()
    own_log.case_of.cache_clear()
    own_log.served_by.cache_clear()


def drawn(**stops):
    figure = style.new_figure()
    _, said = style.render_svg(own_case.draw_own_case, START | stops, figure)
    return figure, said


def case_at(**stops):
    at = START | stops
    case = own_log.case_of(
        at["model"], at["card_gib"], at["max_lora_rank"], at["tenants"]
    )
    return case._replace(slo=Slo(ttft_p99_ms=at["slo_ms"]))


@pytest.mark.parametrize(
    "stops",
    [
        {}, {"slo_ms": 500}, {"max_lora_rank": 64}, {"tenants": 10},
        {"model": "Qwen2.5-7B", "card_gib": 23.63}, {"max_loras": 1},
        {"card_gib": 23.63, "max_lora_rank": 64, "max_loras": 12},
    ],
)  # fmt: skip
def test_the_sentence_says_what_slot_choices_says(stops):
    """Of the chosen number of slots, of half and of twice as many."""
    _, said = drawn(**stops)
    at, case = START | stops, case_at(**stops)
    wanted = own_log.slot_counts(at["max_loras"], at["tenants"])
    choices = slot_choices(case, wanted)
    assert [row.max_loras for row in choices] == wanted
    first, _, others = said.partition(" KV tokens")
    for row in choices:
        is_chosen = row.max_loras == at["max_loras"]
        if not is_chosen:
            here = re.search(rf"max_loras={row.max_loras}: ([^;]*)", others)[1]
        else:
            here = first
            kv = f"{row.kv_tokens_low:,} to {row.kv_tokens_high:,}"
            assert here.endswith(kv)
        if row.outcome is None:
            assert "may not start" in here
            continue
        num = len(np.unique(case.workload.adapter_ids))
        met = round(row.outcome.share * num)
        assert f"{met} of {num} in time" in here
        assert f"p99 {row.outcome.p99_ms:,.0f} ms" in here


def test_each_dot_is_a_tenant_and_each_bar_the_card():
    figure, said = drawn()
    left, right = figure.axes
    case = case_at()
    engine = own_log.served_by(*list(START.values())[:5])
    p99 = sorted(
        (one.p99_ms for one in tenants_of(case, engine) if one.num_requests),
        reverse=True,
    )
    dots = [patch.get_path().vertices for patch in left.patches]
    heights = np.concatenate([path[::2, 1] for path in dots])
    assert sorted(heights, reverse=True) == pytest.approx(p99)
    late = sum(one > START["slo_ms"] for one in p99)
    assert f"{len(p99) - late} of {len(p99)} in time" in said
    widths = np.array([[bar.get_width() for bar in part]
                       for part in right.containers])  # fmt: skip
    assert widths.sum(axis=0) == pytest.approx(100)
    memory = memory_of(engine.ledger)
    card = START["card_gib"] * GIB
    assert widths[0] == pytest.approx(100 * memory.weight_bytes / card)
    assert widths[1, 1] == pytest.approx(100 * memory.slot_bytes / card)
    assert engine.ledger == ledger_of(case, engine.setting)


def test_fewer_tenants_are_the_busiest_in_the_same_minutes():
    every, few = case_at(), case_at(tenants=10)
    ids = every.workload.adapter_ids
    assert few.workload.num_requests == (ids < 10).sum()
    assert every.workload.num_requests == own_log.NUM_REQUESTS
    assert few.max_model_len == every.max_model_len
    assert few.tenants.names == every.tenants.names[:10]


def test_active_tenants_are_those_between_arrival_and_end():
    run = own_log.served_by(*list(START.values())[:5]).run
    found = own_log.active_tenants(run, 7)
    came = run.workload.arrival_ns
    for now, num in zip(np.linspace(came[0], came[-1], 7), found, strict=True):
        here = {
            int(tenant)
            for tenant, begin, end in zip(
                run.workload.adapter_ids, came, run.trace.finished,
                strict=True,
            )
            if begin <= now < end
        }  # fmt: skip
        assert num == len(here)


def test_a_log_of_ones_own_replaces_the_example(used):
    before = drawn()[1]
    used(*(f"{k},t{k % 3},100,10" for k in range(300)))
    assert own_log.tenant_stops() == [1, 3]
    figure, said = drawn(tenants=3)
    assert "busiest 3 tenants" in said and "3 of 3 in time" in said
    assert figure.axes[0].get_xlim() == (0, 4)
    own_log.use(own_log._example())
    assert drawn()[1] == before


@pytest.mark.parametrize(
    "rows",
    [
        ["0,a,5,6"],  # one request
        ["0,a,5,6", "0,a,5,6", "0,b,5,6"],  # all at one moment
        ["0,a,5,6", "1e6,b,1,1"],  # days apart
        [f"0,a,9,{k}" for k in range(1, 200)],
        [f"{k},,9,9" for k in range(5000)] + ["9000,a,9,9"],  # of the base
    ],
)
def test_any_log_gives_a_picture(used, rows):
    used(*rows)
    num = own_log.tenant_stops()[-1]
    _, said = drawn(tenants=num)
    assert "in time" in said or said.startswith("None of these tenants")


def test_a_request_that_is_too_long_for_a_model_is_told(used):
    used("0,a,100000,6", "1,b,5,6")
    _, said = drawn(model="Llama-2-7B", tenants=2)
    assert said.startswith("Llama-2-7B: max_model_len is 4,096")


def test_a_log_without_a_tenant_is_refused(used):
    with pytest.raises(ValueError, match="log names no tenant"):
        used("0,,5,6")
    for wrong in (None, "log.csv", 3, []):
        with pytest.raises(TypeError, match="log is"):
            own_log.use(wrong)


@pytest.mark.parametrize("name", START)
def test_a_wrong_stop_is_named(name):
    for wrong in WRONG:
        try:
            drawn(**{name: wrong})
        except (ValueError, TypeError) as error:
            assert name in str(error), wrong
        else:
            assert isinstance(wrong, int | float | np.number), wrong
            assert math.isfinite(wrong) and wrong > 0


def test_a_frame_plays_three_engines_at_most_and_a_promise_none():
    own_log.served_by.cache_clear()
    drawn()
    assert own_log.served_by.cache_info().misses == 3
    drawn(slo_ms=500)
    assert own_log.served_by.cache_info().misses == 3
