"""Claims about fleets: who said what, and what the simulator makes of it."""

import datetime

import numpy as np
import pytest

from multilora.cache.fast import has_numba
from multilora.evidence.fleet_claims import fleet_claim, fleet_claims
from multilora.evidence.fleet_rates import dlora_rates, queueing_s
from multilora.evidence.fleet_routed import blis_table, gie_table, routed
from multilora.evidence.fleet_setups import play_rule, poisson_workload
from multilora.serving.workload import make_workload

FIGURES = fleet_claim("dlora-11")["figures"]
QUOTED = FIGURES["placed_per_s"] / FIGURES["round_robin_per_s"]


@pytest.mark.parametrize("name", fleet_claims())
def test_a_claim_names_who_said_what_where_and_what_is_unsaid(name):
    claim = fleet_claim(name)
    assert claim["url"].startswith("https://") and claim["unsaid"]
    assert claim["who"] and claim["claim"] and claim["figures"]
    assert datetime.date.fromisoformat(claim["read"])


def test_queueing_is_the_mean_wait_for_the_first_step():
    workload = poisson_workload([3.0] * 4, 20, 50)
    run = play_rule(workload, 1, 2, "round_robin")
    waits = {}
    for life in run.lives:
        first_steps = life.run.trace.admitted.tolist()
        for request, at in zip(life.requests, first_steps, strict=True):
            waits[request] = (at - workload.arrival_ns[request]) / 1e9
    assert len(waits) == workload.num_requests
    assert queueing_s(run) == pytest.approx(np.mean(list(waits.values())))


def test_the_rate_is_where_queueing_passes_the_limit():
    reached = dlora_rates(2, duration_s=30).round_robin_per_s
    for factor, is_late in ((1, False), (1.1, True)):
        rates = [reached * factor / FIGURES["num_adapters"]] * 32
        run = play_rule(poisson_workload(rates, 30, 200), 2, 8, "round_robin")
        assert (queueing_s(run) > FIGURES["limit_s"]) == is_late


def test_dloras_ratio_is_that_of_slots_for_three_of_four_adapters():
    """16 over 6 as quoted; each GPU has 4 of the 32 adapters as its own."""
    rates = dlora_rates(3, duration_s=60)
    assert rates.ratio == pytest.approx(QUOTED, rel=0.15)
    assert dlora_rates(2, duration_s=60).ratio < QUOTED


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
def test_with_a_slot_for_each_adapter_placement_gains_far_more():
    """Then the step is the limit, and no longer the slots."""
    assert dlora_rates(4).ratio > 4 * QUOTED
    assert dlora_rates(32).ratio < 2


@pytest.fixture(scope="module")
def gie():
    return {row.rule: row for row in gie_table(60, 20)}


def test_no_rule_beats_the_bound(gie):
    rows = [*gie.values(), *blis_table(4, 10, 15), *blis_table(8, 20, 15)]
    assert all(row.num_loads >= row.least_loads > 0 for row in rows)


def test_in_gies_set_up_a_home_for_each_adapter_reaches_the_bound(gie):
    """15 adapters fit in 30 slots: one load each, and nobody waits long."""
    for rule in ("placed-in-turn", "sticky_least_loaded"):
        assert gie[rule].num_loads == gie[rule].least_loads == 15
        assert gie[rule].p99_ms < 200
    assert gie["least_running"].num_loads > 10 * 15
    assert gie["llm-d-default"].fewer < 0.1
    assert gie["gie-0.3"].fewer > 0.8


def test_after_pull_2625_a_name_takes_one_slot_and_not_two(gie):
    before = gie["llm-d-lora-affinity-before-2625"]
    after = gie["llm-d-lora-affinity"]
    assert before.num_loads > 1.2 * after.num_loads


def test_a_workload_without_adapters_is_named():
    base = make_workload([0, 1], [-1, -1], 5, 5, 2)
    with pytest.raises(ValueError, match="workload asks for the base alone"):
        routed(base, 2, 2)


def test_bliss_claim_holds_where_slots_suffice():
    """8 slots on 4 engines hold all 32 adapters; 4 slots hold half."""
    claimed = fleet_claim("blis-30")["figures"]["fewer_share"]
    rules = ["llm-d-lora-affinity", "placed-in-turn"]
    enough, short = (blis_table(s, 20, 60, rules)[0] for s in (8, 4))
    assert enough.fewer >= claimed > short.fewer
    assert all(
        row.fewer >= claimed for row in blis_table(4, 20, 60, rules[1:])
    )
