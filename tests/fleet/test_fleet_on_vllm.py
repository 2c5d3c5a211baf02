"""Two real vLLM servers behind the real vllm-router; then one is killed.

`make fleet RECORD=--record` keeps what comes out for the pages.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

import families
from live_fleet import NUM_TENANTS, Sent, send
from live_fleet_counts import Watched, taken
from live_fleet_kill import (
    Orphans,
    comes_back,
    home_of,
    kill,
    killed_row,
    send_to_all,
)
from live_fleet_run import NUM_ENGINES, WANTED, record, row_of, started
from multilora.engine.loopback import ServerError
from multilora.engine.router import Router
from multilora.tenants import folder_of

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timed,
    pytest.mark.fleet,
    pytest.mark.filterwarnings("ignore"),
]

SESSION = "X-Session-ID"
POLICIES = [
    ("round_robin", None),
    ("consistent_hash", SESSION),
    ("consistent_hash", None),
    ("power_of_two", None),
    ("sticky_least_loaded", SESSION),
]
# Of vllm-router: one failure opens the circuit, 5 s later it tries again.
QUICK = ("--cb-failure-threshold", "1", "--cb-timeout-duration-secs", "5",
         "--health-check-interval-secs", "1")  # fmt: skip


@pytest.fixture(scope="module")
def fleet():
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def watched(fleet):
    """Both engines, as they are after their start."""
    return [Watched(server) for server in fleet.servers]


@pytest.fixture(scope="module")
def findings(request):
    found = {"policies": []}
    yield found
    print(found)
    if request.config.getoption("record"):
        assert len(found) == 4 and len(found["policies"]) == len(POLICIES)
        record(found)


def fresh(watched):
    return [one.fresh() for one in watched]


def test_model_alone_pins_nothing(fleet, watched):
    """What consistent_hash hashes without a header is the prompt."""
    same = [Sent(0.1 * i, i, 5, 2) for i in range(NUM_TENANTS)]
    other = [Sent(0.1 * i, 0, 2 + i, 2) for i in range(12)]
    fresh(watched)
    with Router(fleet.sites, header=None) as router:
        send(router.url, same, router.headers, one_prompt=True)
        by_prompt = [set(phase.tenants) for phase in fresh(watched)]
        send(router.url, other, router.headers)
        by_tenant = [phase.tenants for phase in fresh(watched)]
    assert sorted(map(len, by_prompt)) == [0, NUM_TENANTS]
    assert all(by_tenant), "prompts of one tenant went to both"


@pytest.mark.parametrize(("policy", "header"), POLICIES)
def test_a_policys_requests_and_loads(
    fleet, watched, findings, policy, header
):
    fresh(watched)
    with Router(fleet.sites, policy, header) as router:
        outcomes = send(router.url, WANTED, router.headers)
        decisions = router.decisions()
    phases = fresh(watched)
    assert {one.status for one in outcomes} == {200}
    num = [len(phase.arrivals) for phase in phases]
    assert [decisions[site] for site in fleet.sites] == num
    homes = [set(phase.tenants) for phase in phases]
    if header is None:
        assert 0 in homes[0] & homes[1], "the hottest tenant is everywhere"
    else:
        assert not homes[0] & homes[1], "each tenant has one home"
    if policy == "round_robin":
        assert num == [len(WANTED) / NUM_ENGINES] * NUM_ENGINES
    asked, row = row_of(policy, header, outcomes, phases)
    assert findings.setdefault("requests", asked) == asked, "the same ones"
    findings["policies"].append(row)


def test_simulated_loads_are_the_engines(findings):
    """Of at least four policies, on the split that the router made."""
    close = [
        sum(row["simulated"]["num_slot_loads"])
        == pytest.approx(sum(row["num_slot_loads"]), rel=0.15)
        for row in findings["policies"]
    ]
    assert len(close) == len(POLICIES)
    assert sum(close) >= 4


def test_a_home_for_each_tenant_saves_loads(findings):
    loads = {
        (row["policy"], row["header"]): sum(row["num_slot_loads"])
        for row in findings["policies"]
    }
    for policy in ("consistent_hash", "sticky_least_loaded"):
        assert loads[policy, SESSION] < 0.8 * loads["round_robin", None]


def test_an_adapter_on_one_of_two_replicas(fleet, findings):
    """Half of the requests get a 404, which the router does not retry."""
    wanted = [Sent(0.05 * i, 0, 3, 2) for i in range(20)]
    fleet.servers[1].load("new", folder_of("json"))
    with pytest.raises(
        ServerError, match=r"server 2 of 2 .*already been"
    ) as e:
        fleet.load("new", folder_of("json"))
    assert "listed by server 2 of 2" in str(e.value)
    assert e.value.status == 400
    assert "new" not in fleet.servers[0].model_names()
    with Router(fleet.sites, "round_robin") as router:

        def statuses():
            found = send(
                router.url, wanted, router.headers, lambda tenant: "new"
            )
            return Counter(one.status for one in found)

        half = statuses()
        assert not router.counters("vllm_router_retries", "route")
        fleet.servers[1].unload("new")
        fleet.load("new", folder_of("json"))
        both = statuses()
    fleet.unload("new")
    assert half == {200: 10, 404: 10}
    assert both == {200: 20}
    findings["one_of_two"] = {"on_one": half, "on_both": both}


@pytest.fixture
def routers(fleet):
    """Three in front of the same engines: quick to give up, even, default."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                Router(fleet.sites, policy, header, options=options)
            )
            for policy, header, options in (
                ("consistent_hash", SESSION, QUICK),
                ("round_robin", None, ()),
                ("consistent_hash", SESSION, ()),
            )
        ]


def test_an_engine_is_killed_under_load_and_comes_back(
    fleet, findings, orphans, routers
):
    """Lost is what it was answering; a home at default flags costs more."""
    quick, even, default = routers
    victim = home_of(0, fleet, default)
    num_before = len(victim.arrivals)
    timer = threading.Timer(1.5, kill, [victim])
    timer.start()
    outcomes = send_to_all((quick, even))
    timer.join()
    alone = [Sent(1.5 * i, 0, 3, 2) for i in range(4)]
    outcomes.append(send(default.url, alone, default.headers))
    rows = list(map(killed_row, routers, outcomes))
    findings["killed"] = rows
    assert_little_is_lost(rows, outcomes, victim.arrivals[num_before:])
    # All five tries go to the dead home, until ten have failed.
    assert [one.status for one in outcomes[2]] == [500, 500, 200, 200]
    assert {row["num_opened"] for row in rows} == {1}, "the circuits"
    orphans.begin()  # two starts side by side take little more than one
    victim.stop()
    victim.start()
    assert comes_back(victim, quick)


def assert_little_is_lost(rows, outcomes, arrivals):
    """Hold what is lost against what the killed engine was answering.

    A router tries again until an answer has begun, not later, and five
    times at most.
    """
    num_in_flight = len(arrivals) - sum(
        found[number].status == 200
        for found in outcomes
        for number in taken(found, arrivals)
    )
    num_exhausted = sum(row["num_exhausted"] for row in rows)
    num_lost = sum(row["num_lost"] for row in rows)
    assert num_lost <= num_in_flight + num_exhausted
    for row, found in zip(rows[:2], outcomes, strict=False):
        assert row["num_lost"] < 0.1 * row["num_requests"]
        assert row["num_retries"] > 0
        assert {one.status for one in found[-10:]} == {200}


@pytest.fixture(scope="module")
def orphans():
    with ThreadPoolExecutor(1) as pool:
        yield Orphans(pool)


def test_nothing_of_a_fleet_outlives_its_parent(orphans):
    with ExitStack() as checks:  # both, if one fails too
        for (_, moment), found in orphans.result().items():
            token, size, sessions = found
            checks.callback(families.wait_until_gone, token, sessions)
            # Two supervisors and the server; its core; and the router's.
            assert size >= (3 if moment == "4" else 7)
