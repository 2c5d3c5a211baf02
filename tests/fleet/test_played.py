"""A FleetRun's sums are those of its lives, and nobody served is no error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.fleet.events import Dies, Joins
from multilora.fleet.play import serve_fleet
from multilora.fleet.tables import fleet_row
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.workload import make_workload
from serving_runs import runs

COST = step_cost(10, 0, 0, 0, 0, 100)
LIMITS = engine_limits(2, 8, 512)
FOUR = make_workload([0, 0, 0.2, 0.2], [0, 1, 0, 1], 8, 4)
RULES = st.sampled_from(["round_robin", "least_running"])


@settings(max_examples=80)
@given(runs(), RULES, st.floats(0, 0.5))
def test_sums_are_those_of_a_plain_loop_over_the_lives(run, rule, dies_s):
    workload, limits, cost, seed = run
    fleet = serve_fleet(
        workload, limits, cost, num_engines=2, rule=rule, seed=seed,
        events=[Dies(dies_s, 0, dies_s + 0.1), Joins(dies_s)],
    )  # fmt: skip
    sent, loads = [0] * 3, [0] * 3
    served, hits = set(), 0
    for life in fleet.lives:
        for place, request in enumerate(life.requests.tolist()):
            sent[life.engine] += 1
            finished = int(life.run.trace.finished[place])
            if 0 < finished <= (life.dies_ns or np.inf):
                served.add((int(workload.adapter_ids[request]), life.engine))
                hits += int(life.run.trace.loaded_from[place]) == 0
        if life.run is not None:
            loads[life.engine] += life.run.trace.totals.num_slot_loads
    num_done = int(fleet.is_done.sum())
    assert fleet.num_sent.tolist() == sent
    assert fleet.num_slot_loads.tolist() == loads
    homes = [adapter for adapter, _ in served if adapter >= 0]
    assert fleet.num_homes.tolist() == [
        homes.count(adapter) for adapter in range(workload.num_adapters)
    ]
    if num_done:
        assert fleet.hit_rate == pytest.approx(hits / num_done)
    assert sum(sent) <= fleet.num_tries.sum()


def test_a_hit_counts_where_the_request_was_done_not_where_it_was_cut_off():
    """Tenant 2 waits on engine 1 for a load's end, and is loaded on 0."""
    workload = make_workload([0, 0, 0.05, 0.05], [0, 1, 0, 2], 8, 4)
    fleet = serve_fleet(
        workload, LIMITS, COST, num_engines=2, events=[Dies(0.08, 1)]
    )
    assert fleet.num_tries.tolist() == [1, 2, 1, 2]
    assert fleet.num_slot_loads[0] == 3
    assert fleet.hit_rate == 0.25


@pytest.mark.filterwarnings("error")
def test_where_nobody_is_served_shares_are_nan_without_a_warning():
    fleet = serve_fleet(
        FOUR, LIMITS, COST, num_engines=2, events=[Dies(0, 0), Dies(0, 1)]
    )
    assert fleet.is_lost.all() and not fleet.num_sent.any()
    assert np.isnan([fleet.hit_rate, fleet.imbalance]).all()
    assert np.isnan([fleet.percentile_ms(99), fleet.percentile_ms(9, 1)]).all()
    assert fleet.num_homes.tolist() == [0, 0]
    row = fleet_row("dead", fleet)
    assert np.isnan([row.num_homes, row.p99_ms]).all() and not row.num_late


def test_a_percentile_is_of_all_or_of_one_tenant():
    fleet = serve_fleet(FOUR, LIMITS, COST, num_engines=1)
    assert fleet.percentile_ms(100) == fleet.ttft_ns.max() / 1e6
    assert fleet.percentile_ms(0, 1) == fleet.ttft_ns[[1, 3]].min() / 1e6
    assert np.isnan(fleet.percentile_ms(50, -1))
    for wrong, words in (
        ((150,), "share is 150"),
        ((float("nan"),), "share is nan"),
        ((50, 2), "tenant is 2, but must be an integer from -1 to 1"),
        ((50, True), "tenant is True"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            fleet.percentile_ms(*wrong)
