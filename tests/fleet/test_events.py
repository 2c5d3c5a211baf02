"""An engine dies, one is added, a tenant comes: nothing is lost unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.cache.fast import has_numba
from multilora.fleet.course import MAX_TRIES
from multilora.fleet.events import Dies, Joins, Onboards
from multilora.fleet.play import serve_fleet
from multilora.fleet.played import DONE, LOST, NOT_FOUND
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.workload import make_workload
from serving_runs import runs

# A step takes 10 ms, a load 100: easy to count by hand.
COST = step_cost(10, 0, 0, 0, 0, 100)
LIMITS = engine_limits(2, 8, 512)


def four(seconds=(0, 0, 0, 0), output_tokens=4):
    """Requests of two tenants, in turn."""
    return make_workload(seconds, [0, 1, 0, 1], 8, output_tokens)


def test_who_has_no_token_is_sent_again_and_who_has_one_is_lost():
    """Two each; at 115 ms the first token of each is out, at 105 not yet."""
    early = serve_fleet(
        four(), LIMITS, COST, num_engines=2, events=[Dies(0.105, 1)]
    )
    assert early.engine_of.tolist() == [0, 0, 0, 0]
    assert early.num_tries.tolist() == [1, 2, 1, 2]
    assert early.is_done.all()
    assert early.lives[1].dies_ns == 105_000_000
    late = serve_fleet(
        four(), LIMITS, COST, num_engines=2, events=[Dies(0.115, 1)]
    )
    assert late.outcome.tolist() == [DONE, LOST, DONE, LOST]
    assert late.ttft_ns.tolist() == [110_000_000, -1, 110_000_000, -1]


def test_a_retry_counts_from_the_first_arrival():
    """Sent again at 155 ms: the step under way, a load, a step."""
    fleet = serve_fleet(
        four(output_tokens=100), LIMITS, COST,
        num_engines=2, events=[Dies(0.105, 1)],
    )  # fmt: skip
    assert fleet.ttft_ns[1] == fleet.ttft_ns[3] == 270_000_000


def test_an_engine_comes_back_cold_under_its_number():
    workload = four(seconds=(0, 0, 1, 1))
    whole = serve_fleet(workload, LIMITS, COST, num_engines=2)
    assert whole.num_slot_loads.tolist() == [1, 1]
    back = serve_fleet(
        workload, LIMITS, COST, num_engines=2, events=[Dies(0.5, 1, 0.9)]
    )
    assert back.is_done.all()
    assert back.num_slot_loads.tolist() == [1, 2]
    assert [life.engine for life in back.lives] == [0, 1, 1]
    assert back.lives[2].born_ns == 900_000_000


def test_who_is_sent_to_a_dead_engine_tries_again_up_to_a_limit():
    """The only engine is dead and the router does not notice it."""
    fleet = serve_fleet(
        four(seconds=(1, 1, 1, 1)), LIMITS, COST, num_engines=1,
        events=[Dies(0.5, 0, noticed_s=9)],
    )  # fmt: skip
    assert (fleet.num_tries == MAX_TRIES).all()
    assert fleet.is_lost.all()
    noticed = serve_fleet(
        four(seconds=(1, 1, 1, 1)), LIMITS, COST, num_engines=1,
        events=[Dies(0.5, 0)],
    )  # fmt: skip
    assert (noticed.num_tries == 1).all()
    assert noticed.is_lost.all()


def test_a_new_engine_gets_requests_from_its_time_on():
    workload = make_workload(np.arange(10) / 10, [0] * 10, 8, 1)
    fleet = serve_fleet(
        workload, LIMITS, COST, num_engines=1, events=[Joins(0.45)]
    )
    assert set(fleet.engine_of[:5]) == {0}
    assert set(fleet.engine_of[5:]) == {0, 1}
    assert fleet.num_engines == 2


def test_an_adapter_on_one_of_two_engines_is_not_found_half_the_time():
    """vllm-router's round robin asks nobody who holds what."""
    workload = make_workload(np.arange(8) / 10, [0] * 8, 8, 1)
    one = serve_fleet(workload, LIMITS, COST, num_engines=2, homes=[[0]])
    assert one.outcome.tolist().count(NOT_FOUND) == 4
    both = serve_fleet(workload, LIMITS, COST, num_engines=2, homes=[[0, 1]])
    assert both.is_done.all()


def test_a_tenant_is_there_from_their_onboarding_on():
    """On engine 0 from 0.3 s, on engine 1 from 0.5 s."""
    workload = make_workload(np.arange(8) / 10 + 0.01, [0] * 8, 8, 1)
    event = Onboards(0.3, 0, (0, 1), each_s=0.2)
    fleet = serve_fleet(workload, LIMITS, COST, num_engines=2, events=[event])
    engine = fleet.engine_of
    has_it = np.where(engine == 0, 0.3, 0.5) * 1e9
    assert (fleet.is_not_found == (workload.arrival_ns < has_it)).all()
    assert fleet.is_not_found.sum() >= 3


def test_an_engine_that_comes_back_has_forgotten_what_was_loaded():
    """Engine 1 dies at 0.4 s; what homes name is on its command line."""
    workload = make_workload(np.arange(10) / 10 + 0.01, [0] * 10, 8, 1)
    loaded = Onboards(0.0, 0, (0, 1))
    fleet = serve_fleet(
        workload, LIMITS, COST, num_engines=2,
        events=[loaded, Dies(0.4, 1, 0.6)],
    )  # fmt: skip
    came_late = workload.arrival_ns > 0.6e9
    assert (fleet.is_not_found == came_late & (fleet.engine_of == 1)).all()
    assert fleet.is_not_found.sum() == 2
    named = serve_fleet(
        workload, LIMITS, COST, num_engines=2, homes=[[0, 1]],
        events=[loaded, Dies(0.4, 1, 0.6)],
    )  # fmt: skip
    assert named.is_done.all()


def test_a_dead_engine_does_not_get_an_adapter():
    workload = make_workload(np.arange(10) / 10 + 0.01, [0] * 10, 8, 1)
    fleet = serve_fleet(
        workload, LIMITS, COST, num_engines=2,
        events=[Onboards(0.0, 0, (0, 1), each_s=0.3), Dies(0.2, 1, 0.5)],
    )  # fmt: skip
    is_early = workload.arrival_ns < 0.2e9
    came_late = workload.arrival_ns > 0.5e9
    on_one = fleet.engine_of == 1
    assert (fleet.is_not_found == (is_early | came_late) & on_one).all()
    assert (fleet.is_not_found & came_late).any()


def test_a_dead_engine_that_nobody_noticed_looks_idle_and_gets_all():
    """Each has a request; the connection of one breaks with its engine."""
    seconds = [0, 0, *np.arange(8) / 100 + 0.5]
    fleet = serve_fleet(
        make_workload(seconds, [0] * 10, 8, 200), LIMITS, COST,
        num_engines=2, rule="least_running", events=[Dies(0.4, 1, None, 9)],
    )  # fmt: skip
    assert fleet.outcome.tolist() == [DONE] + [LOST] * 9
    assert (fleet.num_tries[2:] == MAX_TRIES).all()


def test_what_is_noticed_late_is_the_life_that_ended():
    """The first death, noticed at 1.1 s, says nothing of the second."""
    workload = make_workload(np.arange(20) / 10 + 0.05, [0] * 20, 8, 1)
    events = [Dies(0.1, 1, 0.2, noticed_s=1.0), Dies(1.0, 1, noticed_s=0.6)]
    fleet = serve_fleet(
        workload, LIMITS, COST, num_engines=2, events=events, retry_ms=10
    )
    refused = workload.arrival_ns[fleet.num_tries > 1] / 1e9
    is_dead = (refused > 0.1) & (refused < 0.2) | (refused > 1)
    assert is_dead.all() and (refused > 1.1).any() and (refused < 1.6).all()


def test_engines_of_their_own_limits_have_their_own_step_and_joiners_too():
    """Without a cost each has the fitted_cost of its slots, as serve has."""
    wide = LIMITS._replace(max_loras=4, max_cpu_loras=4)
    fleet = serve_fleet(
        four(seconds=(0, 0, 1, 1)), [LIMITS, wide],
        num_engines=2, events=[Joins(0.5)],
    )  # fmt: skip
    for life, limits in zip(fleet.lives, (LIMITS, wide, wide), strict=True):
        run = serve(life.run.workload, limits, seed=life.engine)
        assert (life.run.ttft_ns == run.ttft_ns).all()
        assert life.run.cost == run.cost


EVENTS = st.lists(
    st.tuples(st.floats(0, 0.9), st.integers(0, 2), st.floats(0, 0.3)),
    max_size=3,
    unique_by=lambda event: event[1],
)


def drawn(events):
    return [
        Dies(at, engine, at + 0.2 if gap > 0.1 else None, gap)
        for at, engine, gap in events
    ] + [Joins(0.5)]


@settings(max_examples=150)
@given(runs(), EVENTS, st.sampled_from(["round_robin", "least_running"]))
def test_each_request_ends_once_whatever_dies(run, events, rule):
    workload, limits, cost, seed = run
    fleet = serve_fleet(
        workload, limits, cost, num_engines=3, rule=rule,
        events=drawn(events), seed=seed,
    )  # fmt: skip
    served = np.zeros(workload.num_requests, dtype=int)
    for life in fleet.lives:
        if life.run is None:
            continue
        end = np.inf if life.dies_ns is None else life.dies_ns
        finished = life.run.trace.finished
        is_done = (finished > 0) & (finished <= end)
        np.add.at(served, life.requests[is_done], 1)
        assert (life.run.workload.arrival_ns >= life.born_ns).all()
        assert (life.run.workload.arrival_ns <= end).all()
    assert (served == fleet.is_done).all()
    assert ((fleet.ttft_ns > 0) == fleet.is_done).all()
    assert (fleet.latency_ns >= fleet.ttft_ns).all()
    assert (fleet.num_tries <= MAX_TRIES).all()
    assert not fleet.is_not_found.any()


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@settings(max_examples=80, deadline=None)
@given(runs(), EVENTS)
def test_numba_dies_at_the_same_nanosecond(run, events):
    workload, limits, cost, seed = run
    plain, fast = (
        serve_fleet(
            workload, limits, cost, num_engines=3, rule="least_running",
            events=drawn(events), seed=seed, engine=engine,
        )
        for engine in ("plain", "numba")
    )  # fmt: skip
    assert (plain.outcome == fast.outcome).all()
    assert (plain.latency_ns == fast.latency_ns).all()
