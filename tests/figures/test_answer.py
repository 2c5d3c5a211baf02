"""The pictures of a plan: what they say, and that bars are the card."""

import pytest

import made_plans
from multilora.figures import answer, style
from multilora.units import GIB

PLANS = pytest.mark.parametrize("name", made_plans.EVERY)


@PLANS
def test_the_parts_of_a_bar_are_the_card(name):
    plan = made_plans.EVERY[name]()
    for _, memory in answer.memory_bars(plan):
        parts = answer.memory_parts(plan, memory)
        assert min(parts.values()) >= 0
        assert sum(parts.values()) == pytest.approx(plan.card_gib * GIB)


def test_engines_of_one_memory_share_a_bar():
    plan = made_plans.three_engines()
    assert [label for label, _ in answer.memory_bars(plan)] == [
        "engines 1 to 3"
    ]
    other = made_plans.MEMORY.model_copy(update={"slot_bytes": 5})
    engines = [
        made_plans.engine([], memory=memory)
        for memory in (made_plans.MEMORY, other, made_plans.MEMORY)
    ]
    labels = [
        label for label, _ in answer.memory_bars(made_plans.plan(engines))
    ]
    assert labels == ["2 engines", "engine 2"]


@PLANS
def test_the_sentences_say_what_is_drawn(name):
    plan = made_plans.EVERY[name]()
    svg, said = style.render_svg(answer.draw_tenants, {"plan": plan})
    met = sum(tenant.meets_slo for tenant in plan.tenants)
    assert f"{met} of {len(plan.tenants)} tenants meet" in said
    assert "<script" not in svg
    figure = style.new_figure(answer.memory_size(plan))
    svg, said = style.render_svg(answer.draw_memory, {"plan": plan}, figure)
    assert "89,000 to 106,000 tokens" in said
    assert "not used by vLLM" in svg


@pytest.mark.parametrize("p99_ms", [0.0, 0.3, 1e12])
def test_any_time_can_be_drawn(p99_ms):
    tenants = [made_plans.tenant("a", p50_ms=0.0, p99_ms=p99_ms)]
    plan = made_plans.plan([made_plans.engine(tenants)])
    svg, _ = style.render_svg(answer.draw_tenants, {"plan": plan})
    assert "TTFT in ms" in svg


def test_a_card_that_is_too_small_still_gives_a_bar():
    tight = made_plans.MEMORY.model_copy(
        update={"weight_bytes": 40 * GIB, "usable_bytes": 0}
    )
    plan = made_plans.plan([made_plans.engine([], memory=tight)])
    assert answer.memory_parts(plan, tight)["KV"] == 0
    figure = style.new_figure(answer.memory_size(plan))
    style.render_svg(answer.draw_memory, {"plan": plan}, figure)
