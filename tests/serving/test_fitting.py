"""Costs come back from steps that were made with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.serving.cost import step_cost
from multilora.serving.fitting import fit_cost, fitted_ms
from multilora.serving.timed import TimedStep

GRID = [
    (prompt, running, active, slots, disks, False)
    for prompt in (0, 32, 128, 512, 1024)
    for running in (1, 2, 4, 8, 16)
    for active in (0, 1, 2, 4)
    for slots, disks in ((0, 0), (1, 0), (1, 1))
    if active <= running and (active or not slots)
]
TIMES = st.floats(0.01, 50)


def timed(cost, grid=GRID, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return [
        TimedStep(
            "made",
            fitted_ms(cost, counts) * rng.normal(1, noise or 1e-12),
            *counts,
        )
        for counts in grid
    ]


@settings(max_examples=20)
@given(st.tuples(*[TIMES] * 7))
def test_costs_come_back_from_steps_without_noise(values):
    step, seq, token, lora, adapter, slot, disk = values
    cost = step_cost(
        step, seq, token / 50, 0, slot, disk, lora_ms=lora, adapter_ms=adapter
    )
    fit = fit_cost(timed(cost))
    assert max(fit.residuals.values()) < 1e-3
    assert fit.cost.seq_knee == fit.cost.adapter_knee == 2**31
    scale = max(values)
    for ours, true in zip(fit.cost, cost, strict=True):
        assert ours == pytest.approx(true, rel=0.01, abs=1e3 * scale)
    assert [note for note in fit.notes if "api" not in note] == []


@settings(max_examples=20)
@given(
    st.sampled_from([2, 4, 8]), st.floats(0.5, 3), st.sampled_from([0.0, 4.0])
)
def test_a_clear_knee_is_found_where_it_is(knee, seq, times):
    far = seq * times
    cost = step_cost(5, seq, 0, 0, 1, 2, bends={"seq": (knee, far)})
    fit = fit_cost(timed(cost))
    assert fit.cost.seq_knee == knee
    assert fit.cost.far_seq_ns / 1e6 == pytest.approx(far, abs=0.01)


def test_noise_makes_no_knee_and_little_error():
    cost = step_cost(20, 0.5, 0.05, 0, 5, 50, lora_ms=7, adapter_ms=0.3)
    for seed in range(5):
        fit = fit_cost(timed(cost, GRID * 5, noise=0.05, seed=seed))
        assert fit.cost.seq_knee == fit.cost.prompt_token_knee == 2**31
        for counts in GRID:
            assert fitted_ms(fit.cost, counts) == pytest.approx(
                fitted_ms(cost, counts), rel=0.05
            )


def test_steps_that_were_seen_late_pull_nothing_down():
    """A stalled client sees a long step, then some of no time."""
    cost = step_cost(16, 1, 0.5, 0, 5, 60, lora_ms=9)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        steps = timed(cost, GRID, noise=0.03, seed=seed)
        for place in rng.choice(len(steps), len(steps) // 15, replace=False):
            late = rng.choice([0.05, 200])
            steps[place] = steps[place]._replace(ms=float(late))
        fit = fit_cost(steps)
        for counts in GRID:
            assert fitted_ms(fit.cost, counts) == pytest.approx(
                fitted_ms(cost, counts), rel=0.15
            )


def test_first_tokens_say_what_the_api_server_adds():
    cost = step_cost(20, 0.5, 0.05, 0, 5, 50, api_ms=3)
    first = TimedStep("alone", fitted_ms(cost, (64, 1, 1, 0, 0, True)),
                      64, 1, 1, is_first=True)  # fmt: skip
    fit = fit_cost([*timed(cost), first])
    assert fit.cost.api_ns == pytest.approx(3e6, rel=0.01)
    early = first._replace(ms=20)
    fit = fit_cost([*timed(cost), early])
    assert fit.cost.api_ns == 0
    assert fit.notes[-1].startswith("api_ms came out at -3")


def test_what_always_comes_together_is_named():
    cost = step_cost(20, 0.5, 0.05, 0, 5, 50)
    both = [counts for counts in GRID if counts[3] == counts[4]]
    fit = fit_cost(timed(cost, both))
    assert "slot_load_ms and disk_load_ms could not be told apart" in fit.notes
    total = fit.cost.slot_load_ns + fit.cost.disk_load_ns
    assert total == pytest.approx(55e6, rel=0.01)
    none = [counts for counts in GRID if not counts[3]]
    fit = fit_cost(timed(cost, none))
    assert "disk_load_ms was in no probe and is 0" in fit.notes


def test_nothing_to_fit_is_refused():
    with pytest.raises(ValueError, match="timed holds no step"):
        fit_cost([])
    with pytest.raises(ValueError, match="ms in timed"):
        fit_cost([TimedStep("a", 0, 1, 1, 1)])
