"""A fleet is its engines, each serve() on what the router sent to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.cache.fast import has_numba
from multilora.fleet.members import Member
from multilora.fleet.play import serve_fleet
from multilora.fleet.watched import columns_of
from multilora.routing.given import COUNTS, RESIDENTS, Rule
from multilora.serving.run import serve, serve_until
from serving_runs import runs


def fewest(setup):
    """Choose who has the fewest requests in flight, the first of equals."""
    return lambda ask: min(ask.engines, key=ask.in_flight.__getitem__)


def least_seen(setup):
    """Choose by all that a scrape shows, so that each number counts."""

    def cost(ask, engine):
        seen = ask.seen[engine]
        return (
            ask.adapter_id not in seen.in_slots,
            ask.adapter_id not in seen.running | seen.waiting,
            ask.adapter_id not in seen.in_cpu,
            seen.num_waiting,
            seen.num_running,
            seen.kv_share,
        )

    return lambda ask: min(ask.engines, key=lambda e: cost(ask, e))


FEWEST = Rule("fewest", fewest, COUNTS, 0, False, "this test")
LEAST_SEEN = Rule("least seen", least_seen, RESIDENTS, 0, False, "this test")
RULES = st.sampled_from(["round_robin", FEWEST, LEAST_SEEN])
SCRAPES = st.sampled_from([0, 1e-5, 50])  # ms
NUM_ENGINES = st.integers(1, 4)


def assert_same_run(run, alone):
    assert run.trace.totals == alone.trace.totals
    for left, right in zip(run.trace[:-1], alone.trace[:-1], strict=True):
        assert (left == right).all()
    assert (run.ttft_ns == alone.ttft_ns).all()


@given(st.booleans().flatmap(runs), RULES, SCRAPES)
def test_one_engine_is_serve_to_the_nanosecond(run, rule, scrape_ms):
    workload, limits, cost, seed = run
    fleet = serve_fleet(
        workload, limits, cost, num_engines=1, rule=rule,
        scrape_ms=scrape_ms, seed=seed,
    )  # fmt: skip
    alone = serve(workload, limits, cost, "plain", seed)
    assert_same_run(fleet.lives[0].run, alone)
    assert (fleet.ttft_ns == alone.ttft_ns).all()
    assert fleet.is_done.all()
    assert fleet.num_slot_loads.sum() == alone.trace.totals.num_slot_loads


@given(st.booleans().flatmap(runs), NUM_ENGINES)
def test_round_robin_is_as_many_runs_of_split_arrivals(run, num_engines):
    workload, limits, cost, seed = run
    fleet = serve_fleet(
        workload, limits, cost, num_engines=num_engines, seed=seed
    )
    turns = (fleet.engine_of - fleet.engine_of[0]) % num_engines
    assert (turns == np.arange(len(turns)) % num_engines).all()
    for life in fleet.lives:
        rows = np.flatnonzero(fleet.engine_of == life.engine)
        if not len(rows):
            assert life.run is None
            continue
        part = _rows(workload, rows)
        alone = serve(part, limits, cost, "plain", seed + life.engine)
        assert_same_run(life.run, alone)
        assert (fleet.ttft_ns[rows] == alone.ttft_ns).all()


@settings(max_examples=60)
@given(st.booleans().flatmap(runs), NUM_ENGINES)
def test_counts_are_what_serve_says_of_the_requests_so_far(run, num_engines):
    """Who is in flight at a request follows from the requests before it."""
    workload, limits, cost, seed = run
    fleet = serve_fleet(
        workload, limits, cost, num_engines=num_engines, rule=FEWEST,
        seed=seed,
    )  # fmt: skip
    sent = [[] for _ in range(num_engines)]
    for request, now in enumerate(workload.arrival_ns.tolist()):
        counts = []
        for engine, rows in enumerate(sent):
            finished = np.array([])
            if rows:
                part = _rows(workload, rows)
                run = serve(part, limits, cost, "plain", seed + engine)
                finished = run.trace.finished
            counts.append(int((finished > now).sum()))
        wanted = counts.index(min(counts))
        assert fleet.engine_of[request] == wanted
        sent[wanted].append(request)


def _rows(workload, rows):
    names = workload._fields[:-1]
    return workload._replace(
        **{name: getattr(workload, name)[rows] for name in names}
    )


@given(st.booleans().flatmap(runs), st.integers(0, 10**9))
def test_a_run_that_ends_early_is_the_beginning_of_the_whole(run, until_ns):
    workload, limits, cost, seed = run
    whole = serve(workload, limits, cost, "plain", seed)
    part = serve_until(until_ns, workload, limits, cost, "plain", seed)
    done = part.trace.finished > 0
    assert (part.trace.finished[done] == whole.trace.finished[done]).all()
    late = whole.trace.finished[~done]
    assert (late > until_ns).all()
    firsts = part.trace.first_token
    assert (firsts[firsts > 0] == whole.trace.first_token[firsts > 0]).all()


@given(runs())
def test_a_scrape_shows_who_runs_and_who_waits(run):
    workload, limits, cost, seed = run
    columns = columns_of(workload, limits)
    member = Member(0, workload, limits, cost, seed, "plain", columns)
    for request, now in enumerate(workload.arrival_ns.tolist()):
        member.send(now, request)
    middle = int(workload.arrival_ns.mean()) + 1
    member.run_until(middle)
    seen = member.seen(True)
    trace = serve_until(middle, workload, limits, cost, "plain", seed).trace
    ids = workload.adapter_ids
    is_gone = trace.finished > 0
    assert seen.running <= set(ids[~is_gone].tolist())
    assert set(ids[(trace.first_token > 0) & ~is_gone]) - {-1} <= seen.running
    assert seen.num_running <= limits.max_num_seqs
    assert seen.num_running >= ((trace.first_token > 0) & ~is_gone).sum()
    assert len(seen.in_slots) <= limits.max_loras
    assert len(seen.in_cpu) <= limits.max_cpu_loras
    assert seen.in_slots <= seen.in_cpu
    assert seen.running == seen.waiting  # as vLLM names them
    assert seen.running <= seen.in_slots  # who waits for one is not named
    assert seen.kv_share == 0
    assert seen.num_running + seen.num_waiting <= (~is_gone).sum()


@pytest.mark.peers
@pytest.mark.skipif(not has_numba(), reason="needs numba: make test-peers")
@settings(max_examples=150, deadline=None)
@given(st.booleans().flatmap(runs), NUM_ENGINES, RULES, SCRAPES)
def test_numba_sends_each_request_to_the_same_engine(
    run, num_engines, rule, scrape_ms
):
    workload, limits, cost, seed = run
    plain, fast = (
        serve_fleet(
            workload, limits, cost, num_engines=num_engines, rule=rule,
            scrape_ms=scrape_ms, seed=seed, engine=engine,
        )
        for engine in ("plain", "numba")
    )  # fmt: skip
    assert (plain.engine_of == fast.engine_of).all()
    assert (plain.ttft_ns == fast.ttft_ns).all()
    assert (plain.latency_ns == fast.latency_ns).all()
