"""The simulated engine against a loop of checked parts, SimPy and numba."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kv_scheduler import KvScheduler
from multilora import traffic
from multilora.cache.fast import has_numba
from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS
from multilora.matmul.operands import BASE
from multilora.serving.budget import Sequence, plan_step
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import geometric_tokens, make_workload
from serving_runs import runs
from serving_simpy import Engine


def at_engine(run):
    """The workload as the engine meets it, behind the API server."""
    return run.workload._replace(arrival_ns=run.front.at_engine_ns)


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
    run = serve(workload, limits, cost, "plain", seed)
    trace = run.trace
    first, finished, loads, reads = by_checked_parts(
        at_engine(run), limits, cost, seed
    )
    assert trace.first_token.tolist() == first
    assert trace.finished.tolist() == finished
    totals = trace.totals
    assert (totals.num_slot_loads, totals.num_disk_loads) == (loads, reads)


def by_a_loop_with_blocks(workload, limits, cost, seed, used_before=()):
    """Step for step with KvScheduler, which is compared with vLLM's own.

    Returns (first_token, finished, how often each was preempted).
    """
    order = np.random.default_rng(seed).permutation(workload.num_adapters)
    rank = {adapter: place for place, adapter in enumerate(order.tolist())}
    tiers = AdapterTiers(limits.max_loras, limits.max_cpu_loras)
    for adapter_id in used_before:
        tiers.activate(adapter_id)
    hits = limits.hit_tokens(workload.prompt_tokens).tolist()
    loop = KvScheduler(
        limits.max_loras, limits.max_num_seqs, limits.max_num_batched_tokens,
        limits.num_gpu_blocks, limits.block_size, dict(enumerate(hits)),
    )  # fmt: skip
    arrival, adapter, prompt, output = (c.tolist() for c in workload[:4])
    to_come, now = list(range(len(arrival))), 0
    first, finished = [0] * len(arrival), [0] * len(arrival)
    lost, decoding = [0] * len(arrival), set()
    while to_come or loop.waiting or loop.running:
        if not loop.waiting and not loop.running:
            now = max(now, arrival[to_come[0]])
        while to_come and arrival[to_come[0]] <= now:
            new = to_come.pop(0)
            loop.add(new, adapter[new], prompt[new], output[new])
        made = dict(loop.made)
        tokens = loop.step()
        decoding -= set(loop.preempted)
        active = {adapter[i] for i in tokens} - {BASE}
        loads, reads = tiers.slot_loads, tiers.disk_loads
        tiers.walk_step(sorted(active, key=rank.get), WALKS[limits.walk])
        now += cost.load_ns(tiers.slot_loads - loads, tiers.disk_loads - reads)
        num_prompt = sum(n for i, n in tokens.items() if i not in decoding)
        now += cost.compute_ns(num_prompt, len(tokens), len(active))
        decoding |= {i for i in tokens if loop.made[i] > made[i]}
        for i in loop.preempted:
            lost[i] += 1
        for i in tokens:
            if loop.made[i] and not first[i]:
                first[i] = now
            if loop.made[i] == output[i]:
                finished[i] = now
    return first, finished, lost


@settings(max_examples=300)
@given(runs(has_few_blocks=True), st.lists(st.integers(0, 6), max_size=5))
def test_few_kv_blocks_are_what_the_loop_does(run, used):
    workload, limits, cost, seed = run
    used = [adapter for adapter in used if adapter < workload.num_adapters]
    run = serve(workload, limits, cost, "plain", seed, used)
    trace = run.trace
    first, finished, lost = by_a_loop_with_blocks(
        at_engine(run), limits, cost, seed, used
    )
    assert trace.num_preemptions.tolist() == lost
    assert trace.first_token.tolist() == first
    assert trace.finished.tolist() == finished


@settings(max_examples=150)
@given(st.booleans().flatmap(runs))
def test_simpy_tells_the_same_story(run):
    workload, limits, cost, seed = run
    run = serve(workload, limits, cost, "plain", seed)
    trace = run.trace
    order = np.random.default_rng(seed).permutation(workload.num_adapters)
    admitted, first_token, finished = Engine(
        at_engine(run), limits, cost, order
    ).run()
    assert (trace.admitted == admitted).all()
    assert (trace.first_token == first_token).all()
    assert (trace.finished == finished).all()


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@settings(max_examples=300, deadline=None)
@given(st.booleans().flatmap(runs), st.lists(st.integers(0, 6), max_size=5))
def test_numba_is_equal_to_the_last_nanosecond(run, used):
    workload, limits, cost, seed = run
    used = [adapter for adapter in used if adapter < workload.num_adapters]
    plain = serve(workload, limits, cost, "plain", seed, used).trace
    fast = serve(workload, limits, cost, "numba", seed, used).trace
    assert_equal(plain, fast)


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@pytest.mark.parametrize("walk", ["one by one", "residents first"])
@pytest.mark.parametrize("max_cpu_loras", [None, 60])
@pytest.mark.parametrize("num_gpu_blocks", [None, 900])
def test_numba_is_equal_on_thousands_of_requests(
    walk, max_cpu_loras, num_gpu_blocks
):
    times = traffic.bursts(6_000, 30, cv=4)
    tokens = geometric_tokens(6_000, 48)
    ids = traffic.zipf(6_000, 60)
    ids[::9] = BASE
    workload = make_workload(times, ids, 20 * tokens, tokens, 60)
    limits = engine_limits(
        8, 64, 2048, max_cpu_loras, walk, num_gpu_blocks, prefix_hit_share=0.2
    )
    plain = serve(workload, limits, engine="plain").trace
    fast = serve(workload, limits, engine="numba").trace
    assert_equal(plain, fast)
    assert (plain.totals.num_preemptions > 100) == bool(num_gpu_blocks)


def assert_equal(plain, fast):
    assert plain.totals == fast.totals
    for name, left, right in zip(plain._fields, plain, fast, strict=True):
        if name != "totals":
            assert (left == right).all(), name


@given(runs())
def test_an_engine_keeps_its_limits_and_its_books(run):
    run = serve(*run[:3], "plain", run[3])
    trace, workload = run.trace, run.workload
    assert (run.front.at_engine_ns >= workload.arrival_ns).all()
    assert (trace.joined >= run.front.at_engine_ns).all()
    assert (run.ttft_ns >= trace.first_token - workload.arrival_ns).all()
    assert (trace.admitted >= trace.joined).all()
    assert (trace.first_token > trace.admitted).all()
    assert (trace.finished >= trace.first_token).all()
    shares = run.utilisation
    assert all(0 <= share <= 1 for share in shares.values())
    assert trace.totals.num_slot_loads >= trace.totals.num_disk_loads
    asked = set(workload.adapter_ids.tolist()) - {BASE}
    assert trace.totals.num_disk_loads >= len(asked)
    assert (trace.loaded_from[workload.adapter_ids == BASE] == 0).all()


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
