"""What can be asked, what is filled in, and what is refused by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import LLAMA, a_case, a_workload
from multilora.plan.case import make_case
from multilora.plan.costs import fitted_costs
from multilora.plan.stretch import busiest
from multilora.serving.workload import make_workload

COSTS = fitted_costs(LLAMA)


def case_of(workload, **more):
    return make_case("llama", LLAMA, 79.1, workload, COSTS, **more)


def test_ranks_become_the_sizes_that_slots_come_in():
    case = case_of(a_workload([0, 1, 2]), ranks=[5, 16, 33])
    assert case.tenants.ranks == (5, 16, 33)
    assert case.slot_ranks == (8, 16, 64)


def test_loads_are_tokens_of_prompts_and_replies():
    load = make_workload([0, 1, 2], [0, 1, -1], [10, 20, 30], [1, 2, 3], 3)
    assert case_of(load).loads.tolist() == [11, 22, 0]


@pytest.mark.parametrize(
    ("longest", "taken"), [(100, 8192), (5000, 16384), (100_000, 131072)]
)
def test_the_length_holds_twice_the_longest_request(longest, taken):
    load = make_workload([0.0], [0], longest - 1, 1)
    assert case_of(load).max_model_len == taken


def test_a_length_that_was_given_is_taken():
    case = case_of(a_workload([0]), max_model_len=4096)
    assert case.max_model_len == 4096
    assert case.settings.max_model_len == 4096


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ranks": [16, 16, 16]}, "ranks holds 3, but the traffic has 2"),
        ({"names": ["a"]}, "names holds 1"),
        ({"folders": ["a"]}, "folders holds 1"),
        ({"ranks": [1024]}, "ranks holds 1024, but a slot of vLLM"),
        ({"max_model_len": 10}, "max_model_len is 10, but the longest"),
        ({"host_gib": -1}, "host_gib is -1"),
        ({"vllm_version": "x"}, "vllm_version"),
    ],
)
def test_what_does_not_go_together_is_named(more, said):
    with pytest.raises(ValueError, match=said):
        case_of(a_workload([0, 1]), **more)


def test_traffic_of_the_base_alone_needs_no_plan():
    with pytest.raises(ValueError, match="no request with an adapter"):
        case_of(a_workload([-1, -1]))


@given(
    st.lists(st.floats(0, 1000), min_size=1, max_size=30), st.integers(1, 30)
)
def test_the_busiest_stretch_is_the_shortest_of_all(times, num):
    load = make_workload(times, [0] * len(times))
    part = busiest(load, num)
    if num >= len(times):
        assert part is load or part.num_requests == len(times)
        return
    spans = [
        load.arrival_ns[k + num - 1] - load.arrival_ns[k]
        for k in range(len(times) - num + 1)
    ]
    assert part.num_requests == num
    assert part.arrival_ns[-1] - part.arrival_ns[0] == min(spans)


def test_the_costs_say_where_they_are_from():
    assert "Llama-3.1-8B" in fitted_costs(LLAMA).said
    assert a_case().costs.cost(4, 16).step_ns > 10**7
    slow = COSTS.slower(2).cost(4, 16)
    assert slow.step_ns == 2 * COSTS.cost(4, 16).step_ns
    assert COSTS.cost(4, 16, disk_load_ms=3).disk_load_ns == 3 * 10**6
    assert np.isclose(COSTS.cost(4, 16, is_cold=True).first_use_ns, 7.3e8,
                      rtol=0.05)  # fmt: skip
