"""The API server in front: against a plain loop, and by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from multilora.matmul.operands import BASE
from multilora.serving.cost import step_cost
from multilora.serving.front import pass_front
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import make_workload
from serving_runs import runs

MS = 10**6


def by_a_loop(workload, cost, used_before):
    """Return when each passes and the stalls, one request after another."""
    free, passed, stalls, known = 0, [], [], set(used_before) | {BASE}
    for request, (arrival, adapter_id) in enumerate(
        zip(
            workload.arrival_ns.tolist(),
            workload.adapter_ids.tolist(),
            strict=True,
        )
    ):
        work = cost.warm_up_ns * (request == 0 and not used_before)
        if adapter_id not in known:
            work += cost.first_use_ns
            known.add(adapter_id)
        begin = max(arrival, free)
        free = begin + work
        passed.append(free)
        if work:
            stalls.append((begin, free))
    return passed, stalls


@given(runs(), st.lists(st.integers(0, 6), max_size=5))
def test_requests_pass_one_after_another(run, used):
    workload, _, cost, _ = run
    front = pass_front(workload, cost, used)
    passed, stalls = by_a_loop(workload, cost, used)
    assert front.at_engine_ns.tolist() == passed
    assert list(zip(front.begins, front.ends, strict=True)) == stalls


@given(runs(), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_nothing_is_seen_within_a_stall(run, times):
    front = pass_front(run[0], run[2], [])
    seen = front.seen_ns(np.array(times)).tolist()
    for time, when in zip(times, seen, strict=True):
        ends = [
            end
            for begin, end in zip(front.begins, front.ends, strict=True)
            if begin <= time < end
        ]
        # Stalls may touch, never overlap.
        assert when == max([time, *ends])


def test_by_hand_a_first_use_holds_up_a_neighbour():
    cost = step_cost(
        10, 0, 0, 0, 0, 0, api_ms=2, first_use_ms=300, warm_up_ms=1000
    )
    workload = make_workload([0, 5, 5.1, 9], [0, 1, 0, 1])
    run = serve(workload, engine_limits(2), cost, "plain")
    assert (run.ttft_ns / MS).round().tolist() == [1312, 312, 212, 12]
    run = serve(workload, engine_limits(2), cost, "plain", used_before=[0, 1])
    assert (run.ttft_ns / MS).round().tolist() == [12, 12, 12, 12]
