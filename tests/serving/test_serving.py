"""The simulated engine against a loop of checked parts, SimPy and numba."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora import traffic
from multilora.cache.fast import has_numba
from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS
from multilora.matmul.operands import BASE
from multilora.serving.budget import Sequence, plan_step
from multilora.serving.cost import published_cost, step_cost
from multilora.serving.diagnosis import (
    CAUSES,
    causes_ns,
    late_by_cause,
    tenant_table,
)
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import geometric_tokens, make_workload
from serving_simpy import Engine

TINY = step_cost(1e-6, 1e-6, 0, 0, 3e-6, 2e-6)  # whole ns, so that times tie


@st.composite
def runs(draw):
    """A workload, limits, cost and seed, small enough to try hundreds."""
    num = draw(st.integers(1, 40))

    def column(low, high):
        return np.array(
            draw(st.lists(st.integers(low, high), min_size=num, max_size=num))
        )

    cost = draw(st.sampled_from([TINY, published_cost()]))
    span = 60e-9 if cost is TINY else 0.8
    times = column(0, 60) / 60 * span
    num_adapters = draw(st.integers(1, 7))
    ids = column(BASE, num_adapters - 1)
    workload = make_workload(
        times, ids, column(1, 40), column(1, 9), num_adapters
    )
    max_loras, seats = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    limits = engine_limits(
        max_loras,
        seats,
        seats + draw(st.integers(0, 40)),
        draw(st.none() | st.integers(max_loras, 8)),
        draw(st.sampled_from(["one by one", "residents first"])),
    )
    return workload, limits, cost, draw(st.integers(0, 99))


def by_checked_parts(workload, limits, cost, seed):
    """Step for step with plan_step and AdapterTiers, both held against vLLM.

    Returns (first_token, finished, loads into slots, reads of the disk).
    """
    order = np.random.default_rng(seed).permutation(workload.num_adapters)
    rank = {adapter: place for place, adapter in enumerate(order.tolist())}
    tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
    walk = WALKS[limits.walk]
    arrival, adapter, prompt, output = (c.tolist() for c in workload[:4])
    left = dict(enumerate(prompt))
    to_come = list(range(len(arrival)))
    first, finished = [0] * len(arrival), [0] * len(arrival)
    waiting, running, now = [], [], 0
    made = dict.fromkeys(to_come, 0)
    while to_come or waiting or running:
        if not waiting and not running:
            now = max(now, arrival[to_come[0]])
        while to_come and arrival[to_come[0]] <= now:
            waiting.append(to_come.pop(0))

        def as_sequences(queue):
            return [Sequence(str(i), adapter[i], left[i] or 1) for i in queue]

        plan = plan_step(
            as_sequences(waiting), as_sequences(running), limits.max_loras,
            limits.max_num_seqs, limits.max_num_batched_tokens,
        )  # fmt: skip
        running += [int(item.request_id) for item in plan.admitted]
        waiting = [int(item.request_id) for item in plan.deferred]
        active = {adapter[i] for i in running} - {BASE}
        loads, reads = tiers.slot_loads, tiers.disk_loads
        tiers.walk_step(sorted(active, key=rank.get), walk)
        tokens = {int(k): n for k, n in plan.num_scheduled_tokens.items()}
        num_prompt = sum(n for i, n in tokens.items() if left[i])
        now += cost.load_ns(tiers.slot_loads - loads, tiers.disk_loads - reads)
        now += cost.compute_ns(num_prompt, len(running), len(active))
        for i, num in tokens.items():
            if left[i]:
                left[i] -= num
                if left[i]:
                    continue
                first[i] = now
            made[i] += 1
            if made[i] == output[i]:
                finished[i] = now
                running.remove(i)
    return first, finished, tiers.slot_loads, tiers.disk_loads


@settings(max_examples=150)
@given(runs())
def test_every_step_is_what_the_checked_parts_do(run):
    """plan_step and AdapterTiers, called once a step, give the same times."""
    workload, limits, cost, seed = run
    trace = serve(workload, limits, cost, "plain", seed).trace
    first, finished, loads, reads = by_checked_parts(*run)
    assert trace.first_token.tolist() == first
    assert trace.finished.tolist() == finished
    totals = trace.totals
    assert (totals.num_slot_loads, totals.num_disk_loads) == (loads, reads)


@settings(max_examples=150)
@given(runs())
def test_simpy_tells_the_same_story(run):
    workload, limits, cost, seed = run
    trace = serve(workload, limits, cost, "plain", seed).trace
    order = np.random.default_rng(seed).permutation(workload.num_adapters)
    admitted, first_token, finished = Engine(
        workload, limits, cost, order
    ).run()
    assert (trace.admitted == admitted).all()
    assert (trace.first_token == first_token).all()
    assert (trace.finished == finished).all()


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@settings(max_examples=300, deadline=None)
@given(runs())
def test_numba_is_equal_to_the_last_nanosecond(run):
    workload, limits, cost, seed = run
    plain = serve(workload, limits, cost, "plain", seed).trace
    fast = serve(workload, limits, cost, "numba", seed).trace
    assert plain.totals == fast.totals
    for name, left, right in zip(plain._fields, plain, fast, strict=True):
        if name != "totals":
            assert (left == right).all(), name


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@pytest.mark.parametrize("walk", ["one by one", "residents first"])
@pytest.mark.parametrize("max_cpu_loras", [None, 60])
def test_numba_is_equal_on_thousands_of_requests(walk, max_cpu_loras):
    times = traffic.bursts(6_000, 30, cv=4)
    tokens = geometric_tokens(6_000, 48)
    ids = traffic.zipf(6_000, 60)
    ids[::9] = BASE
    workload = make_workload(times, ids, 20 * tokens, tokens, 60)
    limits = engine_limits(8, 64, 2048, max_cpu_loras, walk)
    plain = serve(workload, limits, engine="plain").trace
    fast = serve(workload, limits, engine="numba").trace
    assert plain.totals == fast.totals
    assert all((a == b).all() for a, b in zip(plain[:-1], fast, strict=False))


@given(runs())
def test_the_causes_add_up_to_the_ttft(run):
    run = serve(*run[:3], "plain", run[3])
    parts = causes_ns(run)
    assert list(parts) == list(CAUSES)
    assert (sum(parts.values()) == run.ttft_ns).all()
    assert all((part >= 0).all() for part in parts.values())


@given(runs())
def test_an_engine_keeps_its_limits_and_its_books(run):
    run = serve(*run[:3], "plain", run[3])
    trace, workload = run.trace, run.workload
    assert (trace.joined >= workload.arrival_ns).all()
    assert (trace.admitted >= trace.joined).all()
    assert (trace.first_token > trace.admitted).all()
    assert (trace.finished >= trace.first_token).all()
    shares = run.utilisation
    assert all(0 <= share <= 1 for share in shares.values())
    assert trace.totals.num_slot_loads >= trace.totals.num_disk_loads
    asked = set(workload.adapter_ids.tolist()) - {BASE}
    assert trace.totals.num_disk_loads >= len(asked)
    assert (trace.loaded_from[workload.adapter_ids == BASE] == 0).all()


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


def test_published_costs_are_used_unless_replaced():
    cost = published_cost(disk_load_ms=0)
    assert cost.disk_load_ns == 0
    assert cost.compute_ns(0, 1, 0) == round((10.617 + 0.0489) * MS)
    eight = cost.compute_ns(0, 1, 8) / cost.compute_ns(0, 1, 0)
    assert eight == pytest.approx(1 + 8 * 0.00939, rel=1e-6)


def test_tokens_are_geometric_with_the_mean_they_promise():
    tokens = geometric_tokens(100_000, 64, maximum=10_000)
    assert tokens.min() == 1
    assert tokens.mean() == pytest.approx(64, rel=0.01)
    assert tokens.std() == pytest.approx(63.5, rel=0.02)
    assert geometric_tokens(1000, 64, maximum=50).max() == 50


@settings(max_examples=100)
@given(runs())
def test_nobody_is_deferred_where_every_seat_has_a_slot(run):
    """With as many slots as seats, full slots are full seats: a wall."""
    workload, limits, cost, seed = run
    limits = limits._replace(
        max_loras=limits.max_num_seqs, max_cpu_loras=limits.max_num_seqs + 7
    )
    trace = serve(workload, limits, cost, "plain", seed).trace
    assert not trace.deferred.any()


def test_a_full_house_is_no_deferral_and_a_full_set_of_slots_is():
    few_seats = one_run([0] * 4, range(4), max_loras=1, max_num_seqs=1)
    many_seats = one_run([0] * 4, range(4), max_loras=1, max_num_seqs=4)
    waits = [causes_ns(run) for run in (few_seats, many_seats)]
    assert [parts["deferral"].any() for parts in waits] == [False, True]
    assert [parts["seats"].any() for parts in waits] == [True, False]
    assert (few_seats.ttft_ns == many_seats.ttft_ns).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int8, float])
def test_times_of_any_width_become_the_same_nanoseconds(kind):
    times = np.array([1, 2], dtype=kind)
    assert make_workload(times, [0, 0]).arrival_ns.tolist() == [
        10**9,
        2 * 10**9,
    ]


def changed(run_part, **columns):
    return run_part._replace(**columns)


LIMITS = engine_limits(2)
WORK = make_workload([0.0], [0])
PAIR = make_workload([0.0, 1.0], [0, 1])
SLOW = step_cost(10, 0.05, 10, 0.01, 3, 100)
SLOWEST = step_cost(60_000, 0, 0, 0, 60_000, 60_000)


@pytest.mark.parametrize(
    "engine", ["plain", pytest.param("numba", marks=pytest.mark.peers)]
)
@pytest.mark.parametrize(
    ("workload", "limits", "cost", "named"),
    [
        (changed(PAIR, adapter_ids=np.array([0, 5])), LIMITS, None,
         "adapter_ids of workload holds 0 to 5"),
        (changed(PAIR, arrival_ns=PAIR.arrival_ns[::-1]), LIMITS, None,
         "arrival_ns of workload goes down"),
        (changed(PAIR, output_tokens=np.array([0, 1])), LIMITS, None,
         "output_tokens of workload holds 0"),
        (changed(PAIR, output_tokens=np.array([1])), LIMITS, None,
         "output_tokens of workload has shape"),
        (PAIR, changed(LIMITS, max_loras=0), None, "max_loras is 0"),
        (PAIR, changed(LIMITS, walk="ideal"), None, "walk is 'ideal'"),
        (PAIR, LIMITS, changed(SLOW, step_ns=0), "step_ns of cost is 0"),
        (make_workload([0.0], [0], 10**6, 2),
         engine_limits(1, max_num_batched_tokens=10**6), SLOW,
         "cost makes a step of up to"),
        (make_workload([0.0] * 600, np.arange(600) % 2, 1, 10**6),
         engine_limits(1, 300), SLOWEST, "cost makes a step of up to"),
        (make_workload([0.0] * 200, np.arange(200), 1, 10**6),
         engine_limits(1, 1), SLOWEST, "workload takes longer than 2"),
    ],
)  # fmt: skip
def test_no_engine_is_given_what_would_break_it(
    workload, limits, cost, named, engine
):
    """A segmentation fault, an endless loop, a negative time: all were."""
    if engine == "numba" and not has_numba():
        pytest.skip("needs numba: make test-peers")
    with pytest.raises(ValueError, match=named):
        serve(workload, limits, cost, engine)


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (make_workload, ([], []), "times_s is"),
        (make_workload, (["a"], [0]), "times_s is"),
        (make_workload, ([-1.0], [0]), "times_s holds"),
        (make_workload, ([np.nan], [0]), "times_s holds"),
        (make_workload, ([0.0], [-2]), "adapter_ids holds"),
        (make_workload, ([0.0], [0.5]), "adapter_ids is"),
        (make_workload, ([0.0], [0, 1]), "adapter_ids has shape"),
        (make_workload, ([0.0], [0], 0), "prompt_tokens holds"),
        (make_workload, ([0.0], [0], 1, 0), "output_tokens holds"),
        (make_workload, ([0.0], [3], 1, 1, 3), "num_adapters is 3"),
        (engine_limits, (0,), "max_loras is 0"),
        (engine_limits, (2, 256, 100), "max_num_batched_tokens is 100"),
        (engine_limits, (2, 256, 8192, 1), "max_cpu_loras is 1"),
        (engine_limits, (2, 256, 8192, 2, "ideal"), "walk is 'ideal'"),
        (step_cost, (0, 0, 0, 0, 0, 0), "step_ms"),
        (step_cost, (1, -1, 0, 0, 0, 0), "seq_ms is -1"),
        (make_workload, (np.ma.array([0.0]), [0]), "times_s is a Masked"),
        (make_workload, ([0.0], np.array([2**64 - 1], "u8")),
         "adapter_ids holds 18446744073709551615"),
        (serve, (WORK, 8), "limits is 8"),
        (serve, ([1], LIMITS), "workload is"),
        (serve, (WORK, LIMITS, 3), "cost is 3"),
        (serve, (WORK, LIMITS, None, "gpu"), "engine is 'gpu'"),
        (late_by_cause, (serve(WORK, LIMITS), 0), "slo_ms is 0"),
        (geometric_tokens, (5, 0.5), "mean is 0.5"),
    ],
)  # fmt: skip
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        function(*arguments)
