"""Two real vLLM servers behind the real vllm-router; then one is killed.

`make fleet RECORD=--record` keeps what comes out for the pages.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

import pytest

import families
from live_fleet import NUM_TENANTS, Sent, requests, send
from live_fleet_counts import Watched, taken
from live_fleet_run import NUM_ENGINES, WANTED, kill, record, row_of, started
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


def test_an_engine_is_killed_under_load_and_comes_back(
    fleet, findings, orphans
):
    """Lost is what it was answering; a home at default flags costs more."""
    with ExitStack() as stack:
        quick, even, default = (
            stack.enter_context(
                Router(fleet.sites, policy, header, options=more)
            )
            for policy, header, more in (
                ("consistent_hash", SESSION, QUICK),
                ("round_robin", None, ()),
                ("consistent_hash", SESSION, ()),
            )
        )
        victim = home_of(0, fleet, default)
        num_before = len(victim.arrivals)
        timer = threading.Timer(1.5, kill, [victim])
        timer.start()
        outcomes = send_to_all((quick, even))
        timer.join()
        alone = [Sent(1.5 * i, 0, 3, 2) for i in range(4)]
        outcomes.append(send(default.url, alone, default.headers))
        rows = list(map(killed_row, (quick, even, default), outcomes))
        findings["killed"] = rows
        arrivals = victim.arrivals[num_before:]
        num_answered = sum(
            one.status == 200 and one.number in taken(found, arrivals)
            for found in outcomes
            for one in found
        )
        # A router tries again until an answer has begun, not later, and
        # five times at most.
        num_lost, num_exhausted = (
            sum(row[name] for row in rows)
            for name in ("num_lost", "num_exhausted")
        )
        assert num_lost <= len(arrivals) - num_answered + num_exhausted
        for row, found in zip(rows[:2], outcomes, strict=False):
            assert row["num_lost"] < 0.1 * row["num_requests"]
            assert row["num_retries"] > 0
            assert {one.status for one in found[-10:]} == {200}
        # All five tries go to the dead home, until ten have failed.
        assert [one.status for one in outcomes[2]] == [500, 500, 200, 200]
        assert {row["num_opened"] for row in rows} == {1}, "the circuits"
        orphans.begin()  # two starts side by side take little more than one
        victim.stop()
        victim.start()
        assert comes_back(victim, quick)


def home_of(tenant, fleet, router):
    """Return the server that a router sends a tenant to."""
    before = [len(server.arrivals) for server in fleet.servers]
    send(router.url, [Sent(0, tenant, 3, 2)], router.headers)
    (home,) = (
        server
        for server, num in zip(fleet.servers, before, strict=True)
        if len(server.arrivals) > num
    )
    return home


def send_to_all(routers):
    """Send requests through each router at once; return their outcomes."""

    def one(number, router):
        wanted = requests(42, 6, seed=number)
        return send(router.url, wanted, router.headers)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, count(), routers))


def killed_row(router, outcomes):
    """Return what became of a router's requests when an engine was killed.

    num_lost are those without a whole answer, num_exhausted those that the
    router gave up after its last try.
    """

    def counted(metric, label):
        return router.counters(f"vllm_router_{metric}", label)

    opened = counted("cb_state_transitions", "to")
    return {
        "policy": router.policy,
        "header": router.header,
        "options": list(router.options),
        "num_requests": len(outcomes),
        "num_lost": sum(one.status != 200 for one in outcomes),
        "num_retries": sum(counted("retries", "route").values()),
        "num_exhausted": sum(counted("retries_exhausted", "route").values()),
        "num_opened": opened.get("open", 0),
    }


def comes_back(server, router):
    """True when a router sends tenant 0 home again, within 20 s."""
    deadline = time.monotonic() + 20
    num = len(server.arrivals)
    while time.monotonic() < deadline:
        send(router.url, [Sent(0, 0, 3, 2)], router.headers)
        if len(server.arrivals) > num:
            return True
        time.sleep(1)
    return False


class Orphans:
    """Parents that start a fleet and are killed, beside other tests."""

    # During the start-up, and when the router is ready.
    CASES = (("SIGKILL", "4"), ("SIGKILL", "healthy"))

    def __init__(self, pool):
        self._pool, self._found = pool, None

    def begin(self):
        if self._found is None:
            self._found = self._pool.submit(
                families.parents, "vllm fleet", self.CASES
            )

    def result(self):
        self.begin()
        return self._found.result()


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
