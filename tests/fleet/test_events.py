"""An engine dies, one is added, a tenant comes: nothing is lost unseen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.cache.fast import has_numba
from multilora.fleet.events import Dies, Joins, Onboards
from multilora.fleet.play import MAX_TRIES, serve_fleet
from multilora.fleet.played import DONE, LOST, NOT_FOUND
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits
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


BAD = {
    "Dies, Joins or Onboards": ["x"],
    "at_s of": [Dies(-1, 0)],
    "back_s of": [Dies(1, 0, 0.5)],
    "engine of": [Dies(1, 7)],
    "not there then": [Dies(1, 1), Dies(2, 1)],
    "tenant of": [Onboards(1, 9, (0,))],
    "is empty": [Onboards(1, 0, ())],
    "an engine of": [Onboards(1, 0, (5,))],
    "not there": [Joins(5), Dies(1, 2)],
}


@pytest.mark.parametrize("words", BAD)
def test_an_event_that_cannot_be_is_named(words):
    with pytest.raises((ValueError, TypeError), match=words):
        serve_fleet(four(), LIMITS, COST, num_engines=2, events=BAD[words])


def test_what_a_fleet_cannot_be_is_a_sentence():
    for wrong, words in (
        ({"num_engines": 0}, "num_engines is 0"),
        ({"homes": [[0]]}, "homes holds 1"),
        ({"homes": [[0], []]}, r"homes\[1\] is empty"),
        ({"homes": [[0], [2]]}, r"homes\[1\]"),
        ({"homes": [0, 1]}, r"homes\[0\] is 0"),
        ({"rule": "round_robbin"}, "round_robin"),
        ({"scrape_ms": -1}, "scrape_ms"),
        ({"retry_ms": float("nan")}, "retry_ms"),
        ({"engine": "fast"}, "engine"),
    ):
        with pytest.raises((ValueError, TypeError), match=words):
            serve_fleet(four(), LIMITS, COST, **{"num_engines": 2, **wrong})
    with pytest.raises(ValueError, match="limits holds 3"):
        serve_fleet(four(), [LIMITS] * 3, COST, num_engines=2)
