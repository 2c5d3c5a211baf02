"""The seeds' formula beside a plan of as many tenants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import a_case, a_workload
from multilora.evidence.formula import (
    beside_the_formula,
    example_case,
    least_load,
    reason,
    repeated,
)
from multilora.matmul.operands import BASE
from multilora.plan.make import make_plan
from multilora.serving.workload import make_workload


@given(
    st.lists(st.integers(-1, 2), min_size=1, max_size=30), st.integers(3, 11)
)
def test_each_copy_sends_what_its_tenant_sent(ids, num):
    load = a_workload(ids, num_adapters=3)
    more = repeated(load, num)
    assert more.num_adapters == num
    assert (np.diff(more.arrival_ns) >= 0).all()
    assert more.arrival_ns.min() >= load.arrival_ns.min()
    assert more.arrival_ns.max() <= load.arrival_ns.max()
    for tenant in range(num):
        theirs = more.adapter_ids == tenant
        first = load.adapter_ids == tenant % 3
        for name in ("prompt_tokens", "output_tokens"):
            ours = sorted(getattr(more, name)[theirs])
            assert ours == sorted(getattr(load, name)[first])
    is_base = load.adapter_ids == BASE
    assert (more.adapter_ids == BASE).sum() == is_base.sum()


def test_copies_are_not_busy_together():
    """A tenant who asks in the first tenth only."""
    load = make_workload([*np.linspace(0, 10, 50), 100.0], [0] * 50 + [1])
    more = repeated(load, 4)
    times = more.arrival_ns[more.adapter_ids == 2] / 1e9
    assert len(times) == 50 and times.min() >= 50 and times.max() <= 60
    with pytest.raises(ValueError, match="num_tenants is 1"):
        repeated(load, 1)


def test_the_example_has_as_many_tenants_as_asked():
    small, whole = example_case(40), example_case(100)
    asking = np.unique(whole.workload.adapter_ids)
    assert len(asking) == len(whole.tenants.names) == 100
    ratio = whole.workload.num_requests / small.workload.num_requests
    assert 2 < ratio < 3.5
    assert whole.slo.ttft_p99_ms == 1000


def test_no_run_is_busy_for_less_than_the_least_load():
    """However few or many engines: the bound holds for each plan."""
    case = a_case(8, rate=20, seconds=60)
    for num in (1, 2, 4):
        plan = make_plan(case, num_engines=num)
        busy = sum(engine.outcome.busy for engine in plan.engines)
        assert 0 < least_load(case, plan) <= busy


def test_the_ways_to_count_stand_beside_each_other():
    case = a_case(20, rate=5, seconds=60)
    plan = make_plan(case)
    ways = {one.name: one for one in beside_the_formula(case, plan, 8)}
    assert ways["formula"].num_engines == 3
    assert ways["by memory"].num_engines == 1
    assert ways["by load"].num_engines == 1
    assert ways["planned"].num_engines == len(plan.engines) == 1
    assert "an engine has 20 slots, not 8, so every tenant has one" in (
        ways["planned"].what
    )


def test_the_reason_names_what_differs():
    case = a_case(20, rate=5, seconds=60)
    with_spare = make_plan(case, spare=1)
    assert len(with_spare.engines) == 2
    assert "one engine may be lost" in reason(case, with_spare, 8)
    assert "as many" in reason(case, with_spare, 10)
    assert "do not keep each tenant's p99" in reason(case, with_spare, 20)


@pytest.mark.parametrize("plan", [None, 3, "plan"])
def test_another_thing_than_a_plan_is_named(plan):
    with pytest.raises(TypeError, match="plan is "):
        beside_the_formula(a_case(2, seconds=20), plan)
