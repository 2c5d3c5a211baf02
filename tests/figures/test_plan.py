"""The plan's pictures: a night, a restart, and who was late."""

import math

import numpy as np
import pytest

from multilora.figures import plan as pictures
from multilora.figures import slots

BAD = [
    (lambda: slots.shaped_trace("weekly"), "shape is 'weekly'"),
    (lambda: pictures.late_table(pictures.restart_run(16, False), 0, 1),
     "no counted request"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), BAD)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_a_quiet_night_and_a_job_elsewhere_are_the_same_traffic():
    """The job's requests aside, both runs serve the same arrivals."""
    (with_job, is_job), (without, none) = (
        pictures.night_run(is_job_here=here) for here in (True, False)
    )
    assert not none.any()
    kept = ~is_job
    for name in ("arrival_ns", "adapter_ids", "prompt_tokens"):
        ours, theirs = (
            getattr(run.workload, name) for run in (with_job, without)
        )
        assert (ours[kept] == theirs).all()
    at_s = with_job.workload.arrival_ns[is_job] / 1e9
    assert at_s.min() >= 120
    assert at_s.max() <= 180


def test_late_requests_are_those_above_the_limit():
    run, is_job = pictures.night_run()
    at_s = run.workload.arrival_ns / 1e9
    table = pictures.late_table(run, 120, 185, ~is_job)
    chosen = (at_s >= 120) & (at_s < 185) & ~is_job
    ttft_ms = run.ttft_ns[chosen] / 1e6
    assert sum(table["late"].values()) == (ttft_ms > pictures.SLO_MS).sum()
    p50, p99 = np.percentile(ttft_ms, [50, 99])
    assert math.isclose(table["p50_ms"], p50)
    assert math.isclose(table["p99_ms"], p99)


def test_a_warmed_engine_was_asked_once_for_each_tenant():
    cold, warm = (pictures.restart_run(40, it) for it in (False, True))
    extra = warm.workload.num_requests - cold.workload.num_requests
    assert extra == pictures.TENANTS
    assert sorted(warm.workload.adapter_ids[:extra]) == list(range(extra))
    # All are read before the first of the traffic comes.
    is_read = warm.trace.loaded_from == 2
    assert is_read[:extra].all()
    assert not is_read[extra:].any()


def test_a_choice_of_slots_is_played_with_the_traffic_that_is_named():
    """Where all ask alike more slots are needed than for sessions."""
    few, many = (
        next(
            row.max_loras
            for row in slots.choices_of("Llama-3.1-8B", shape, 80, 16)
            if row.outcome.share == 1
        )
        for shape in ("sessions", "uniform")
    )
    assert few < many <= slots.TENANTS
