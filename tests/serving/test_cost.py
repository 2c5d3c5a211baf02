"""What a step costs: by hand, against a plain formula, and bent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.serving.cost import (
    BENDS,
    NEVER,
    check_cost,
    published_cost,
    step_cost,
)
from multilora.serving.terms import (
    fitted_cost,
    fitted_kv_bytes,
    fitted_models,
    step_terms,
)
from serving_runs import BENT

MS = 10**6
FEW = st.integers(0, 40)


def test_published_costs_are_used_unless_replaced():
    cost = published_cost(disk_load_ms=0)
    assert cost.disk_load_ns == 0
    assert cost.compute_ns(0, 1, 0) == round((10.617 + 0.0489) * MS)
    eight = cost.compute_ns(0, 1, 8) / cost.compute_ns(0, 1, 0)
    assert eight == pytest.approx(1 + 8 * 0.00939, rel=1e-6)


@given(FEW, FEW, FEW)
def test_a_step_is_the_sum_of_what_each_one_adds(prompt, running, active):
    """Each request, token and adapter in turn, near or beyond its knee."""
    plain = BENT.step_ns
    for number in range(running):
        near = number < BENT.seq_knee
        plain += BENT.seq_ns if near else BENT.far_seq_ns
    for number in range(prompt):
        near = number < BENT.prompt_token_knee
        plain += BENT.prompt_token_ns if near else BENT.far_prompt_token_ns
    step = plain * (10**6 + BENT.adapter_ppm * active) // 10**6
    for number in range(active):
        near = number < BENT.adapter_knee
        step += BENT.adapter_ns if near else BENT.far_adapter_ns
    step += BENT.lora_ns if active else 0
    assert BENT.compute_ns(prompt, running, active) == step


def test_without_bends_no_count_reaches_a_knee():
    cost = step_cost(1, 2, 3, 0, 0, 0, adapter_ms=4)
    assert cost.seq_knee == cost.adapter_knee == NEVER
    assert cost.compute_ns(5, 6, 7) == (1 + 12 + 15 + 28) * MS


@pytest.mark.parametrize(
    ("bends", "sentence"),
    [
        ({"slots": (1, 1)}, "bends is 'slots', allowed"),
        ({"seq": 3}, r"bends\['seq'\] is 3, but must be \(knee, far_ms\)"),
        ({"seq": (1, 2, 3)}, r"bends\['seq'\] is \(1, 2, 3\)"),
        ({"seq": (-1, 2)}, "knee of seq is -1"),
        ({"adapter": (1, -2)}, "far_ms of adapter is -2"),
    ],
)
def test_a_wrong_bend_is_named(bends, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        step_cost(1, 1, 1, 0, 1, 1, bends=bends)


def test_a_cost_is_checked_field_by_field():
    assert check_cost(BENT) == BENT
    for wrong in (
        BENT._replace(step_ns=0),
        BENT._replace(adapter_ppm=10**6 + 1),
        BENT._replace(seq_knee=NEVER + 1),
        BENT._replace(first_use_ns=-1),
    ):
        with pytest.raises(ValueError, match=" of cost is "):
            check_cost(wrong)
    assert set(BENDS) == {"seq", "prompt_token", "adapter"}


@pytest.mark.parametrize("model", fitted_models())
def test_terms_by_slots_and_rank(model):
    """Slots and rank cost something, and a rank counts as rank / 16."""
    terms = step_terms(model)
    small, large = terms.cost(8, 16), terms.cost(64, 32)
    assert small.step_ns == round(
        (terms.step_ms + terms.slot_rank_ms * 8) * MS
    )
    assert large.step_ns == pytest.approx(
        (terms.step_ms + terms.slot_rank_ms * 128) * MS, abs=1
    )
    assert large.adapter_ns - small.adapter_ns == pytest.approx(
        terms.adapter_rank_ms * MS, abs=1
    )
    assert large.slot_load_ns == pytest.approx(2 * small.slot_load_ns, abs=2)
    assert fitted_kv_bytes(model) > 2**30


def test_only_a_cold_engine_is_held_up_by_first_uses():
    warm, cold = fitted_cost(8), fitted_cost(8, is_cold=True)
    assert warm.first_use_ns == 0 < cold.first_use_ns
    assert cold._replace(first_use_ns=0) == warm
    assert fitted_cost(8, disk_load_ms=7).disk_load_ns == 7 * MS
    for wrong in ((0,), (8, 0), (8, 16, "Llama-1")):
        with pytest.raises(ValueError, match=r"must be|allowed"):
            fitted_cost(*wrong)
