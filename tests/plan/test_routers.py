"""What each router makes of a plan's engines, by the fleet's simulator."""

import numpy as np
import pytest

from cases import a_case
from multilora.fleet.play import serve_fleet
from multilora.plan.make import make_plan
from multilora.plan.routers import (
    RULES,
    best_router,
    named_rule,
    routers_of,
    url_of,
)
from multilora.plan.search import Search
from multilora.routing.given import Ask, Setup
from multilora.routing.rules import rule
from multilora.serving.limits import engine_limits

CASE = a_case(10, rate=8, seconds=60, slo_ms=300)


@pytest.fixture(scope="module")
def plan():
    return make_plan(CASE, num_engines=2)


def test_each_rule_has_a_row_and_one_engine_none(plan):
    assert [one.rule for one in plan.routers] == [*RULES]
    assert [one.file for one in plan.routers] == [*RULES.values()]
    assert make_plan(CASE, num_engines=1).routers == ()


def test_adapters_that_are_placed_or_pinned_have_one_engine(plan):
    rows = {one.rule: one for one in plan.routers}
    for name in ("placed-in-turn", "consistent_hash",
                 "production-stack-session"):  # fmt: skip
        assert rows[name].num_engines_each == 1
    # A first load each, and no other, where the plan gave all a slot.
    assert rows["placed-in-turn"].num_slot_loads == 10
    assert rows["round_robin"].num_engines_each > 1.5
    assert rows["round_robin"].num_slot_loads > 10


def test_a_row_is_what_serve_fleet_plays():
    """Round robin, where each engine can serve everybody."""
    tried = Search(CASE).with_engines(2)
    row = {one.rule: one for one in routers_of(CASE, tried)}["round_robin"]
    dials = tried.dials
    runs = []
    for slots in (dials.max_loras, 10):
        limits = engine_limits(slots, dials.max_num_seqs,
                               dials.max_num_batched_tokens, 10)  # fmt: skip
        cost = CASE.costs.cost(slots, 16)
        runs.append(serve_fleet(CASE.workload, limits, cost, num_engines=2,
                                rule="round_robin"))  # fmt: skip
    run = min(runs, key=lambda one: one.percentile_ms(99))
    assert row.p99_ms == pytest.approx(run.percentile_ms(99))
    assert row.num_slot_loads == run.num_slot_loads.sum()
    late = [
        tenant for tenant in range(10)
        if run.percentile_ms(99, tenant) > CASE.slo.ttft_p99_ms
    ]  # fmt: skip
    assert row.num_late == len(late)
    assert row.share == pytest.approx(1 - len(late) / 10)


def test_gaps_between_tokens_count_where_they_are_promised():
    slo = CASE.slo.model_copy(update={"itl_ms": 1.0})
    tried = Search(CASE).with_engines(2)
    rows = routers_of(CASE._replace(slo=slo), tried)
    assert all(one.share == 0 and one.num_late == 10 for one in rows)


def test_a_ring_hashes_the_plans_own_names_and_urls():
    """As if the rule itself had been told of them."""
    known = named_rule("consistent_hash", CASE)
    setup = Setup(3, 10, (10,) * 3)
    told = setup._replace(
        urls=tuple(url_of(k) for k in (1, 2, 3)), names=CASE.tenants.names
    )
    ours, plain = known.make(setup), rule("consistent_hash").make(told)
    others = rule("consistent_hash").make(setup)
    asks = [Ask(t, 0, (0, 1, 2), (0, 1, 2), (0,) * 3, ()) for t in range(10)]
    assert [ours(one) for one in asks] == [plain(one) for one in asks]
    assert [ours(one) for one in asks] != [others(one) for one in asks]


def test_the_first_that_keeps_the_promise_is_taken(plan):
    assert best_router(plan).rule == "placed-in-turn"
    rows = [one.model_copy(update={"share": 0.5}) for one in plan.routers]
    rows[3] = rows[3].model_copy(update={"share": 1.0})
    other = plan.model_copy(update={"routers": tuple(rows)})
    assert best_router(other) == rows[3]
    # Where none keeps it, the one with the most tenants in time.
    late = [one.model_copy(update={"share": 0.1 * k})
            for k, one in enumerate(plan.routers)]  # fmt: skip
    late = plan.model_copy(update={"routers": tuple(late)})
    named = [one for one in late.routers if one.file]
    assert best_router(late) == named[-1]
    assert best_router(plan.model_copy(update={"routers": ()})) is None


def test_ranks_that_fill_every_engine_leave_the_others_out():
    """With slots of the widest rank no engine starts: their rows are gone."""
    case = a_case(
        6, rate=2, seconds=30, card_gib=23.63, ranks=[16] * 5 + [64],
        max_model_len=16384,
    )  # fmt: skip
    tried = Search(case).with_engines(2)
    assert tried is not None
    rows = {one.rule for one in routers_of(case, tried)}
    assert {"placed-in-turn", "production-stack-session"} <= rows
    assert np.isfinite([one.p99_ms for one in routers_of(case, tried)]).all()
