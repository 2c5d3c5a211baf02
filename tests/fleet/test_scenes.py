"""The chapter's scenes: their rates, homes, rows, and what a scrape names."""

import itertools
import statistics

import numpy as np
import pytest

from multilora.fleet.homes import engine_lists
from multilora.fleet.residency import blindness, one_request
from multilora.fleet.runs import (
    LATE_MS,
    alone_p99_ms,
    death_run,
    fewest_played,
    hot_run,
    newcomer_run,
    played,
    prefix_run,
    zipf_run,
)
from multilora.fleet.scenes import (
    ENGINE_RATE,
    hot_rates,
    morning_rates,
    replica_homes,
    spread_homes,
    traffic_of,
    zipf_rates,
)
from multilora.fleet.sizing import load_by_hour
from multilora.fleet.tables import (
    fleet_lines,
    fleet_row,
    in_flight_by_second,
    outcomes,
    placement,
    requests_by_engine,
    tenant_p99_ms,
    ttft_by_second,
)


def test_rates_are_engine_loads():
    assert hot_rates(2.5).sum() / ENGINE_RATE == pytest.approx(3.4)
    rates = zipf_rates(40, 60, 1)
    assert rates.sum() == pytest.approx(60)
    assert rates[0] / rates[3] == pytest.approx(4)
    for spread in (1, 2, 3, 7, 24):
        peak = load_by_hour(100, 0.25, spread).max()
        assert morning_rates(spread).sum() / ENGINE_RATE == pytest.approx(peak)


def test_an_engine_load_is_what_one_engine_serves_in_time():
    assert alone_p99_ms(ENGINE_RATE) < LATE_MS < alone_p99_ms(1.2 * 50)


def test_homes_keep_within_slots_and_share():
    rates = zipf_rates(100, 400, 1)
    homes = replica_homes(rates, 13, 1.0, slots=8)
    found = placement(homes, rates / ENGINE_RATE, 13)
    assert found.num_homes == sum(map(len, homes)) == 101
    assert found.most_tenants == 8 and found.busiest < 1
    by_load = placement(spread_homes(rates, 13), rates / ENGINE_RATE, 13)
    assert by_load.most_tenants > 8 and by_load.num_homes == 100
    assert spread_homes(rates, 1) == [[0]] * 100
    for engine, tenants in enumerate(engine_lists(homes, 13)):
        assert all(engine in homes[tenant] for tenant in tenants)


def test_a_row_counts_what_the_run_did():
    run = zipf_run(12, 3, "round_robin", rate=10.0)
    row = fleet_row("in turn", run)
    assert row.num_loads == run.num_slot_loads.sum()
    assert row.p99_ms == run.percentile_ms(99)
    p99 = tenant_p99_ms(run)
    assert row.num_late == (p99 > LATE_MS).sum()
    assert p99[3] == run.percentile_ms(99, 3)
    by_engine = [requests_by_engine(run, tenant) for tenant in range(12)]
    assert np.sum(by_engine, axis=0).tolist() == run.num_sent.tolist()
    served = [sum(row > 0) for row in by_engine]
    assert served == run.num_homes.tolist()
    assert all(len(line) <= 78 for line in fleet_lines({"x" * 50: run}))


def test_in_flight_counts_arrivals_less_ends():
    run = zipf_run(12, 3, "random", rate=10.0)
    found = in_flight_by_second(run, [0.0, 3.5, 20.0, 1000.0])
    start = run.workload.arrival_ns
    for column, second in enumerate((0.0, 3.5, 20.0, 1000.0)):
        at = second * 1e9
        for engine in range(3):
            mine = run.engine_of == engine
            is_in = mine & (start <= at) & (start + run.latency_ns > at)
            assert found[engine, column] == is_in.sum()


def test_ttft_by_second_leaves_out_who_was_tried_twice():
    run = death_run("least_running", 5)
    seconds = [0.0, 6.0, 13.0, 16.0, 30.0]
    median, longest = ttft_by_second(run, seconds)
    at_s = run.workload.arrival_ns / 1e9
    for at, (low, high) in enumerate(itertools.pairwise(seconds)):
        times = sorted(
            ttft / 1e6
            for ttft, when, tries, is_done in zip(
                run.ttft_ns, at_s, run.num_tries, run.is_done, strict=True
            )
            if is_done and tries == 1 and low <= when < high
        )
        assert bool(times) == (low != 13.0)
        if times:
            assert median[at] == pytest.approx(statistics.median(times))
            assert longest[at] == pytest.approx(times[-1])
        else:
            assert np.isnan([median[at], longest[at]]).all()
    for wrong in ([], [1.0], [1.0, 1.0], [2.0, 1.0, 3.0]):
        with pytest.raises(ValueError, match="seconds is"):
            ttft_by_second(run, wrong)


def test_who_is_loaded_on_one_engine_of_two_gets_404s():
    run = newcomer_run((0,), "round_robin")
    row = outcomes(run, since_s=10.2, tenant=7)
    assert row.num_not_found + row.num_done == row.num_requests
    assert 0.3 < row.num_not_found / row.num_requests < 0.7
    before = outcomes(run, tenant=7)
    assert before.num_requests > row.num_requests
    both = outcomes(newcomer_run((0, 1), "round_robin"), 10.2, 7)
    assert both.num_done == both.num_requests == row.num_requests


def test_more_tenants_than_slots_on_an_engine_starve_one_of_them():
    by_load, by_slots = (hot_run(3, 8, by_slots=flag) for flag in (0, 1))
    worst = [tenant_p99_ms(run)[1:].max() for run in (by_load, by_slots)]
    assert worst[0] > 10_000 and worst[1] < 1000


def test_a_long_own_prefix_pins_a_tenant_under_llm_ds_default():
    without, with_prefix = (
        prefix_run("llm-d-default", share) for share in (0.0, 0.75)
    )
    base = zipf_run(40, 4, "llm-d-default")
    assert without.engine_of.tolist() == base.engine_of.tolist()
    assert with_prefix.num_homes.mean() < 1.5 < without.num_homes.mean()


def test_the_fewest_engines_are_the_first_that_do():
    rates = zipf_rates(20, 20, 1)
    need = fewest_played(rates, "sticky_least_loaded", range(1, 9))
    assert need is not None and need > 1
    rule = "sticky_least_loaded"
    for engines, does in ((need - 1, False), (need, True)):
        run = played(rates, engines, rule, duration_s=10.0)
        assert ((tenant_p99_ms(run) > LATE_MS).sum() <= 1) == does
    assert fewest_played(rates, rule, [1]) is None


def test_an_idle_adapter_is_in_a_slot_and_has_no_name():
    early, late = one_request([0.02, 60])
    assert early.named == early.in_slots == [3]
    assert late.named == [] and late.in_slots == [3]


def test_names_tell_less_than_the_slots_hold_while_traffic_is_light():
    seen = blindness(2.0)
    assert seen.num_named < seen.num_resident / 2 < seen.num_requests / 2
    unwatched = played(zipf_rates(40, 2.0, 1), 4, "llm-d-lora-affinity")
    assert seen.num_loads == unwatched.num_slot_loads.sum()


def test_rates_at_which_nobody_asks_are_named():
    with pytest.raises(ValueError, match="rates sum to 1e-09 a second"):
        traffic_of([1e-9])
