"""The worst tenants and the worst minute, against loops over requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.logs.read import example_log_path, read_log
from multilora.serving.cost import step_cost
from multilora.serving.diagnosis import causes_ns, late_by_cause
from multilora.serving.limits import engine_limits
from multilora.serving.logged import log_workload
from multilora.serving.parts import percentile_of_parts
from multilora.serving.run import serve
from multilora.serving.workload import make_workload
from multilora.serving.worst import worst_minute, worst_tenants

COST = step_cost(20, 1, 0.1, 0.05, 200, 100)
REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 400), st.integers(-1, 4), st.integers(1, 900),
        st.integers(1, 20),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


def served(requests):
    columns = [np.array(column) for column in zip(*requests, strict=True)]
    workload = make_workload(*columns)
    return serve(workload, engine_limits(1, 2, 512), COST, engine="plain")


@given(REQUESTS, st.integers(1, 2_000))
def test_the_worst_minute_is_a_loop_s(requests, slo_ms):
    run = served(requests)
    late, took = late_by_cause(run, slo_ms), causes_ns(run)
    arrival_s = run.workload.arrival_ns / 1e9
    best = None
    for minute in range(8):
        inside = (arrival_s - arrival_s[0]) // 60 == minute
        if inside.any():
            num_late = sum(int(v[inside].sum()) for v in late.values())
            p99 = np.percentile(run.ttft_ns[inside], 99) / 1e6
            if best is None or (num_late, p99) > best[0]:
                best = (num_late, p99), minute, inside
    (num_late, p99), minute, inside = best
    found = worst_minute(run, slo_ms)
    assert (found.num_late, found.num_requests) == (num_late, inside.sum())
    assert found.p99_ms == pytest.approx(p99)
    if found.start_s == minute * 60:  # of minutes that are equal, the first
        why = late if num_late else took
        most = {cause: values[inside].sum() for cause, values in why.items()}
        assert most[found.cause] == max(most.values())
        tokens = run.workload.prompt_tokens[inside]
        mine = run.workload.adapter_ids[inside] == found.tenant
        assert tokens[mine].sum() / tokens.sum() == found.tenant_share


@given(REQUESTS, st.integers(1, 2_000), st.integers(1, 6))
def test_the_worst_tenants_are_a_loop_s(requests, slo_ms, num):
    run = served(requests)
    late = late_by_cause(run, slo_ms)
    ids = run.workload.adapter_ids
    found = worst_tenants(run, slo_ms, num)
    assert len(found) == min(num, len(np.unique(ids)))
    p99s = sorted(
        (np.percentile(run.ttft_ns[ids == i], 99) / 1e6 for i in set(ids)),
        reverse=True,
    )
    assert [one.p99_ms for one in found] == pytest.approx(p99s[:num])
    for one in found:
        mine = ids == one.tenant
        counts = {cause: int(v[mine].sum()) for cause, v in late.items()}
        assert one.num_requests == mine.sum()
        assert one.num_late == sum(counts.values())
        if one.num_late:
            assert counts[one.cause] == max(counts.values())
        else:
            assert one.cause is None


VALUES = st.integers(0, 10**9) | st.floats(-1e12, 1e12)


@given(st.lists(st.lists(VALUES, min_size=1), min_size=1), st.floats(0, 100))
def test_a_percentile_of_parts_is_numpy_s_to_the_last_digit(parts, percent):
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    parts = [np.array(part, dtype=float) for part in parts]
    found = percentile_of_parts(np.concatenate(parts), starts, percent)
    assert found.tolist() == [np.percentile(p, percent) for p in parts]


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 9], [0, 2, 1]])
def test_starts_that_are_no_parts_are_refused(starts):
    with pytest.raises(ValueError, match="starts must begin with 0"):
        percentile_of_parts(np.ones(3), np.array(starts, dtype=int), 50)


def test_a_log_is_served_in_its_own_order():
    log = read_log(example_log_path())
    workload = log_workload(log)
    assert (workload.adapter_ids == log.adapter_ids).all()
    assert (workload.prompt_tokens == log.prompt_tokens).all()
    assert workload.num_adapters == 40
