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
    """Return the stalls as a loop over requests merges them."""
    stalls, known = [], set(used_before) | {BASE}
    for arrival, adapter_id in zip(
        workload.arrival_ns.tolist(),
        workload.adapter_ids.tolist(),
        strict=True,
    ):
        if adapter_id in known or not cost.first_use_ns:
            continue
        known.add(adapter_id)
        end = arrival + cost.first_use_ns
        if stalls and arrival <= stalls[-1][1]:
            stalls[-1][1] = end
        else:
            stalls.append([arrival, end])
    return stalls


def passed(time, stalls):
    """Return when a moment within a stall is over."""
    for begin, end in stalls:
        if begin <= time < end:
            return end
    return time


@given(
    runs(),
    st.sampled_from([0, 1, 10, 3 * 10**8]),
    st.lists(st.integers(0, 6), max_size=5),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20),
)
def test_stalls_are_those_of_a_loop(run, first_use, used, times):
    workload, cost = run[0], run[2]._replace(first_use_ns=first_use)
    front = pass_front(workload, cost, used)
    stalls = by_a_loop(workload, cost, used)
    assert list(zip(front.begins, front.ends, strict=True)) == [
        tuple(stall) for stall in stalls
    ]
    for given_ns, when in (
        (workload.arrival_ns, front.at_engine_ns),
        (np.array(times), front.seen_ns(np.array(times))),
    ):
        expected = [passed(time, stalls) for time in given_ns.tolist()]
        assert when.tolist() == expected


def test_by_hand_a_first_use_holds_up_a_neighbour():
    cost = step_cost(10, 0, 0, 0, 0, 0, api_ms=2, first_use_ms=300)
    # The second and the third adapter's first uses overlap.
    workload = make_workload([0, 5, 5.1, 5.2, 9], [0, 1, 0, 2, 1])
    run = serve(workload, engine_limits(3), cost, "plain")
    assert (run.ttft_ns / MS).round().tolist() == [312, 512, 412, 312, 12]
    run = serve(
        workload, engine_limits(3), cost, "plain", used_before=[0, 1, 2]
    )
    assert (run.ttft_ns / MS).round().tolist() == [12] * 5
