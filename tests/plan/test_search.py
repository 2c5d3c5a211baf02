"""The search plays what it says, and finds what a plain loop finds."""

import itertools

import numpy as np
import pytest

from cases import LLAMA, a_case, a_workload
from multilora.matmul.operands import BASE
from multilora.models.shipped import model_shape
from multilora.plan.load import engine_load
from multilora.plan.make import make_plan
from multilora.plan.played import Dials, World, play
from multilora.plan.search import NoPlanError, Search, fewest_engines
from multilora.plan.tenants import outcome_of


def plain_least_engines(case, most):
    """The fewest engines of any placement and any dial that is tried."""
    search = Search(case)
    budgets, seats = (2048, 8192), (64, 256, 1024)
    for num in range(1, most + 1):
        for groups in search.placements(num):
            for slots, tokens, seqs in itertools.product(
                range(1, len(case.tenants.names) + 1), budgets, seats
            ):
                engines = play(case, groups, Dials(slots, tokens, seqs))
                if engines is None:
                    continue
                if outcome_of(engines, case.slo).share >= case.slo.share:
                    return num
    return None


@pytest.mark.parametrize("slo_ms", [120, 1500])
def test_no_plain_loop_finds_fewer_engines(slo_ms):
    case = a_case(6, rate=10, seconds=60, card_gib=23.63, slo_ms=slo_ms)
    assert fewest_engines(Search(case), 4).num_engines == (
        plain_least_engines(case, 4)
    )


def test_requests_are_split_and_none_is_lost():
    """Tenants go where they belong, the base to each engine in turn."""
    load = a_workload([0, 1, -1, 2, -1, 1, -1, 0])
    groups = [[0, 2], [1]]
    parts = [engine_load(load, groups, number) for number in (0, 1)]
    assert sum(part.num_requests for part in parts) == load.num_requests
    assert parts[0].adapter_ids.tolist() == [0, BASE, 1, BASE, 0]
    assert parts[1].adapter_ids.tolist() == [0, BASE, 0]
    times = np.sort(np.concatenate([part.arrival_ns for part in parts]))
    assert times.tolist() == load.arrival_ns.tolist()


def test_a_wide_tenant_does_not_cost_the_others_their_slots():
    """By rank, the wide engine has as many slots as fit there."""
    case = a_case(
        12, rate=3, seconds=120, card_gib=23.63, ranks=[16] * 11 + [256]
    )
    found = fewest_engines(Search(case), 4)
    engines = play(case, found.groups, found.dials)
    by_rank = {e.setting.max_lora_rank: e.setting.max_loras for e in engines}
    assert by_rank[256] <= 2 and by_rank[16] > 2


def test_a_base_that_does_not_fit_is_a_sentence():
    case = a_case(2, shape=model_shape("Llama-3.1-70B"), card_gib=23.63)
    with pytest.raises(NoPlanError, match=r"does not start on 23\.63 GiB"):
        make_plan(case)


def test_where_nothing_meets_the_slo_it_is_said():
    plan = make_plan(a_case(3, seconds=60, slo_ms=1), max_engines=2)
    assert not plan.is_met
    assert "out of reach for 3 of 3 tenants, such as tenant-0" in plan.notes[0]


def test_the_plan_says_why_and_what_would_change_it():
    plan = make_plan(a_case(12, rate=6, seconds=200, slo_ms=400))
    assert plan.is_met and len(plan.engines) == 1
    (engine,) = plan.engines
    assert engine.setting.max_loras == 12
    assert "every tenant has a slot" in plan.notes[0]
    dials = {one.dial for one in plan.neighbours}
    assert dials == {"max_loras", "max_num_batched_tokens", "max_num_seqs",
                     "engines"}  # fmt: skip
    flips = [one.flips for one in plan.assumptions]
    assert flips == sorted(flips, reverse=True)
    slower = next(a for a in plan.assumptions if "quarter longer" in a.instead)
    assert slower.outcome.p99_ms > plan.outcome.p99_ms
    counts = [tenant.num_requests for tenant in engine.tenants]
    assert sum(counts) == plan.num_requests


def test_a_long_log_is_searched_on_its_busiest_part():
    plan = make_plan(a_case(4, rate=5, seconds=200), num_searched=300)
    (note,) = (note for note in plan.notes if "busiest" in note)
    assert "busiest 300 requests in a row" in note
    assert plan.num_requests > 300


def test_little_host_memory_makes_a_small_tier():
    plan = make_plan(a_case(8, rate=1, seconds=60, host_gib=0.3))
    setting = plan.engines[0].setting
    assert setting.max_cpu_loras < 8 or setting.max_loras == 8
    assert any("object storage" in a.instead for a in plan.assumptions)


def test_another_world_is_played_as_it_says():
    case = a_case(4, rate=4, seconds=60)
    groups, dials = [range(4)], Dials(4, 2048, 64)

    def p99(**world):
        return outcome_of(
            play(case, groups, dials, World(**world)), case.slo
        ).p99_ms

    assert p99(slower=2) > 1.5 * p99()
    assert p99(is_cold=True) > p99()
    longer = play(case, groups, dials, World(longer_replies=2))[0].run
    tokens = longer.workload.output_tokens
    assert (tokens == 2 * case.workload.output_tokens).all()


def test_a_case_is_needed():
    with pytest.raises(TypeError, match="case is 3"):
        make_plan(3)
    assert LLAMA.name
