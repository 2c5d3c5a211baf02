"""Why a request waited: by hand, and by tenant."""

import numpy as np
import pytest
from hypothesis import given

from multilora.serving.cost import step_cost
from multilora.serving.diagnosis import (
    CAUSES,
    causes_ns,
    late_by_cause,
    tenant_table,
)
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import make_workload
from serving_runs import runs


@given(runs())
def test_the_causes_add_up_to_the_ttft(run):
    run = serve(*run[:3], "plain", run[3])
    parts = causes_ns(run)
    assert list(parts) == list(CAUSES)
    assert (sum(parts.values()) == run.ttft_ns).all()
    assert all((part >= 0).all() for part in parts.values())


def one_run(times, ids, prompt=1, output=1, **limits):
    limits = {"max_loras": 2, "max_num_seqs": 4} | limits
    workload = make_workload(times, ids, prompt, output)
    return serve(workload, engine_limits(**limits), COST, "plain")


# A step of 10 ms, 1 ms a prompt token, loads of 5 ms, 100 ms from disk.
COST = step_cost(10, 0, 1, 0, 5, 100)
MS = 10**6


def parts_ms(run, request):
    return {
        cause: part[request] / MS
        for cause, part in causes_ns(run).items()
        if part[request]
    }


def test_by_hand_a_cold_request_pays_slot_and_disk():
    run = one_run([0, 0.5], [0, 0], prompt=4)
    assert parts_ms(run, 0) == {"load": 105, "own": 14}
    assert parts_ms(run, 1) == {"own": 14}
    assert run.trace.loaded_from.tolist() == [2, 0]
    assert run.is_hit.tolist() == [False, True]


def test_by_hand_a_deferred_request_waits_for_a_slot():
    run = one_run([0, 0.12], [0, 1], output=5, max_loras=1)
    # The first runs from 105 ms of loads to 155; the second comes at 120,
    # in a step that ends at 126, one of five of 10 ms and one of 11.
    assert run.trace.finished[0] == 156 * MS
    assert parts_ms(run, 1) == {
        "congestion": 6, "deferral": 30, "load": 105, "own": 11,
    }  # fmt: skip


def test_by_hand_a_full_house_is_seats_even_if_no_slot_is_free():
    run = one_run([0, 0.12], [0, 1], output=5, max_loras=1, max_num_seqs=1)
    assert parts_ms(run, 1)["seats"] == 30
    assert "deferral" not in parts_ms(run, 1)


def test_by_hand_a_stranger_s_prompt_is_congestion():
    run = one_run([0, 0], [-1, -1], prompt=[2, 500])
    assert parts_ms(run, 0) == {"congestion": 500, "own": 12}


def test_by_hand_a_stranger_s_load_counts_as_load():
    run = one_run([0, 0.05], [0, -1])
    # It comes 50 ms into a load of 105 ms, then waits 11 ms for the step.
    assert parts_ms(run, 1) == {"load": 55, "congestion": 11, "own": 11}


def test_a_prompt_above_the_budget_takes_several_steps():
    run = one_run([0], [-1], prompt=20, max_num_batched_tokens=8)
    assert run.ttft_ns[0] == (3 * 10 + 20) * MS
    assert parts_ms(run, 0) == {"own": 50}


def test_late_requests_count_once_for_their_largest_cause():
    run = one_run([0, 0.12, 0.5], [0, 1, 1], output=5, max_loras=1)
    late = late_by_cause(run, slo_ms=50)
    assert {c: m.tolist() for c, m in late.items() if m.any()} == {
        "load": [True, True, False]
    }
    late = late_by_cause(run, slo_ms=5)
    assert late["own"].tolist() == [True, True, True]
    assert sum(mask.sum() for mask in late.values()) == 3


def test_the_table_of_tenants_is_a_loop_over_tenants():
    ids = np.array([3, -1, 0, 3, 3, 0, -1])
    run = one_run(np.arange(7) * 0.01, ids, output=3, max_loras=1)
    table = tenant_table(run)
    assert table["tenant"].tolist() == [-1, 0, 3]
    for row, tenant in enumerate(table["tenant"]):
        mine = ids == tenant
        ttft_ms = run.ttft_ns[mine] / MS
        assert table["num_requests"][row] == mine.sum()
        assert table["p50_ms"][row] == np.percentile(ttft_ms, 50)
        assert table["p99_ms"][row] == np.percentile(ttft_ms, 99)
        assert table["hit_rate"][row] == pytest.approx(run.is_hit[mine].mean())
        assert table["num_loads"][row] == (~run.is_hit[mine]).sum()
        deferred = run.trace.deferred[mine] > 0
        assert table["num_deferred"][row] == deferred.sum()


def test_a_full_house_is_no_deferral_and_a_full_set_of_slots_is():
    few_seats = one_run([0] * 4, range(4), max_loras=1, max_num_seqs=1)
    many_seats = one_run([0] * 4, range(4), max_loras=1, max_num_seqs=4)
    waits = [causes_ns(run) for run in (few_seats, many_seats)]
    assert [parts["deferral"].any() for parts in waits] == [False, True]
    assert [parts["seats"].any() for parts in waits] == [True, False]
    assert (few_seats.ttft_ns == many_seats.ttft_ns).all()
