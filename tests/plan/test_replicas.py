"""A tenant too hot for one engine is on as many as serve them in time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import a_case, a_workload
from multilora.plan.load import engine_load
from multilora.plan.make import make_plan
from multilora.plan.played import Dials, play
from multilora.plan.replicas import counts_for, groups_for, replicas_of
from multilora.plan.tenants import all_verdicts, outcome_of

HOT = a_case(1, rate=200, seconds=20)


def plain_turns(workload, groups):
    """Each request's engine, by a loop over requests."""
    turns, found = {}, []
    for tenant in workload.adapter_ids.tolist():
        on = [k for k, group in enumerate(groups) if tenant in group]
        on = on or list(range(len(groups)))  # the base is on all
        turn = turns.get(tenant, 0)
        turns[tenant] = turn + 1
        found.append(on[turn % len(on)])
    return found


@given(st.data())
def test_requests_of_a_tenant_go_to_their_engines_in_turn(data):
    num = data.draw(st.integers(1, 5))
    ids = data.draw(st.lists(st.integers(-1, 3), min_size=1, max_size=40))
    load = a_workload(ids, num_adapters=4)
    on = st.sets(st.integers(0, num - 1), min_size=1)
    homes = [data.draw(on) for _ in range(4)]
    groups = [[t for t in range(4) if k in homes[t]] for k in range(num)]
    engines = plain_turns(load, groups)
    for number, group in enumerate(groups):
        part = engine_load(load, groups, number)
        wanted = np.flatnonzero(np.array(engines) == number)
        assert part.arrival_ns.tolist() == load.arrival_ns[wanted].tolist()
        names = [group[k] if k >= 0 else -1 for k in part.adapter_ids]
        assert names == load.adapter_ids[wanted].tolist()


def test_the_fewest_engines_that_serve_them_in_time():
    """As a plain loop over the number of engines finds them."""
    budgets = [2048, 8192]
    found = replicas_of(HOT, [0], budgets)
    _, seats = HOT.settings.batch(HOT.max_model_len)

    def is_in_time(num):
        for budget in budgets:
            dials = Dials(1, max(budget, seats), seats)
            engines = play(HOT, [[0]] * num, dials)
            if all_verdicts(engines, HOT.slo).all():
                return True
        return False

    assert found == {0: next(k for k in range(1, 17) if is_in_time(k))}
    assert found[0] >= 2


def test_who_is_late_on_many_engines_stays_out_of_reach():
    case = a_case(1, rate=2, seconds=20, slo_ms=1)
    assert replicas_of(case, [0], [8192]) == {}
    notes = make_plan(case, max_engines=2).notes
    assert "out of reach for 1 of 1 tenants" in notes[0]


def test_the_plan_has_a_hot_tenant_on_several_engines():
    plan = make_plan(HOT)
    assert plan.is_met and len(plan.engines) > 1
    assert all(len(engine.tenants) == 1 for engine in plan.engines)
    assert plan.num_tenants == 1
    counts = [engine.tenants[0].num_requests for engine in plan.engines]
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == plan.num_requests
    said = f"tenant-0 is on {len(plan.engines)} engines: one engine alone"
    assert any(said in note for note in plan.notes)


def test_a_tenant_of_two_engines_is_judged_once_by_all_requests():
    groups = [[0, 1], [0, 2]]
    case = a_case(3, rate=4, seconds=30)
    engines = play(case, groups, Dials(2, 2048, 64))
    ttft_ms = np.concatenate([
        one.run.ttft_ns[one.run.workload.adapter_ids == 0] for one in engines
    ]) / 1e6  # fmt: skip
    p99 = float(np.percentile(ttft_ms, 99))
    for slo_ms, is_met in ((p99 * 1.001, True), (p99 * 0.999, False)):
        slo = case.slo.model_copy(update={"ttft_p99_ms": slo_ms})
        met = all_verdicts(engines, slo)
        assert len(met) == 3 and met[-1] == is_met
        assert outcome_of(engines, slo).share == met.mean()


@settings(max_examples=25)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(1, 8))
def test_no_engine_is_idle_and_nobody_is_on_more_than_there_are(hot, num):
    case = a_case(len(hot), rate=len(hot), seconds=60)
    replicas = {t: count for t, count in enumerate(hot) if count > 1}
    counts = counts_for(case, replicas, num)
    assert max(counts) <= num
    for tenant, count in enumerate(counts):
        assert count >= min(num, replicas.get(tenant, 1))
    for groups in groups_for(case, counts, num):
        assert len(groups) == num and all(groups)
        assert {t for group in groups for t in group} == set(range(len(hot)))


def test_more_engines_than_tenants_is_a_sentence():
    with pytest.raises(ValueError, match="num_engines is 4, but must be at "
                       "most 3"):  # fmt: skip
        make_plan(a_case(3, rate=2, seconds=20), num_engines=4)
    assert len(make_plan(a_case(3, rate=2, seconds=20),
                         num_engines=3).engines) == 3  # fmt: skip
