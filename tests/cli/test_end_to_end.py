"""A live server is calibrated, planned for, and held to the plan."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from typer.testing import CliRunner

import live_plans
import live_server
from multilora.cli.app import Exit, whole_app
from multilora.engine.loopback import post
from multilora.plan.answer import Slo
from multilora.plan.stored import write_plan
from multilora.serving.calibration import read_calibration
from multilora.serving.workload import geometric_tokens, make_workload
from multilora.traffic import arrivals, zipf_popularity
from multilora.watch.metrics import fetch_scrape
from multilora.watch.scrapes import STARTED
from multilora.watch.seen import look

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timed,
    pytest.mark.filterwarnings("ignore"),
]

NAMES = [f"tenant-{i}" for i in range(live_server.NUM_ADAPTERS)]
SETTING = live_plans.setting(
    4, 8, live_server.MAX_BATCHED_TOKENS, live_server.MAX_NUM_SEQS
)
RATE, SECONDS = 4, 15  # requests a second, and for how long they are sent
# The longest wait that such a load can cause on any machine, and the least.
COMFORTABLE_MS, IMPOSSIBLE_MS = 20_000, 1


def run(*arguments):
    result = CliRunner().invoke(whole_app(), [*map(str, arguments)])
    print(result.output)
    return result


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    with live_server.live_server(folder, 4, 8) as found:
        found.base = folder / "base"
        yield found


@pytest.fixture(scope="module")
def calibration(server, tmp_path_factory):
    """The file that `multilora calibrate` writes of the live server."""
    file = tmp_path_factory.mktemp("calibration") / "calibration.json"
    result = run(
        "calibrate", server.url, "--max-loras", 4, "--max-cpu-loras", 8,
        "--max-num-seqs", live_server.MAX_NUM_SEQS,
        "--max-num-batched-tokens", live_server.MAX_BATCHED_TOKENS,
        "--prompt-tokens", "8,96", "--output-tokens", "4,32",
        "--max-at-once", 8, "--seconds", 40, "--write", file,
    )  # fmt: skip
    assert result.exit_code == Exit.YES, result.output
    return file


@pytest.fixture(scope="module")
def plan(server, calibration):
    """What the calibrated engine meets of five minutes of traffic."""
    times, ids = arrivals.poisson_arrivals(
        RATE * zipf_popularity(len(NAMES)), 300
    )
    num = len(times)
    workload = make_workload(
        times, ids, np.minimum(geometric_tokens(num, 24, 96), 96),
        geometric_tokens(num, 12, 32, seed=1), len(NAMES),
    )  # fmt: skip
    cost = read_calibration(calibration).cost
    return live_plans.planned(
        server.base, NAMES, workload, SETTING, cost, COMFORTABLE_MS
    )


@pytest.mark.parametrize(
    ("slo_ms", "status"),
    [(COMFORTABLE_MS, Exit.YES), (IMPOSSIBLE_MS, Exit.NO)],
)
def test_a_live_server_keeps_a_plan_s_word(
    slo_ms, status, plan, server, calibration, tmp_path
):
    """Met where it is planned to be met, missed where that cannot be."""
    is_met = status == Exit.YES
    engine = plan.engines[0]
    share = 1.0 if is_met else 0.0
    outcome = engine.outcome.model_copy(update={"share": share})
    engine = engine.model_copy(update={"outcome": outcome})
    file = tmp_path / "plan.json"
    write_plan(
        plan.model_copy(
            update={"slo": Slo(ttft_p99_ms=slo_ms), "engines": (engine,)}
        ),
        file,
    )
    result = run(
        "verify", file, server.url, "--seconds", SECONDS,
        "--calibration", calibration, "--json",
    )  # fmt: skip
    told = json.loads(result.stdout)
    assert result.exit_code == status
    assert (told["is_met"], told["was_met"]) == (is_met, is_met)
    assert told["num_failed"] == 0 and told["num_requests"] > 30
    assert (
        sum(row["num_requests"] for row in told["tenants"])
        == (told["num_requests"])
    )
    measured, simulated = told["measured"], told["simulated"]
    # A machine that others share is no stopwatch: the order of size.
    assert 1 / 3 < simulated["p50_ms"]["middle"] / measured["p50_ms"] < 3


@pytest.mark.parametrize(
    ("slo_ms", "status", "word"),
    [(COMFORTABLE_MS, Exit.YES, "met"), (IMPOSSIBLE_MS, Exit.NO, "missed")],
)
def test_what_multilora_plan_says_of_a_calibration_holds(
    slo_ms, status, word, server, calibration, tmp_path
):
    """The whole way by commands; the plan takes a slot for each tenant."""
    made = run(
        "plan", "--tenants", len(NAMES), "--rate", RATE, "--minutes", 5,
        "--prompt-tokens", 24, "--output-tokens", 12, "--ranks", 8,
        "--model", server.base, "--card", 8, "--max-model-len", 512,
        "--max-num-seqs", 16, "--max-num-batched-tokens", 1024,
        "--max-engines", 1, "--calibration", calibration,
        "--ttft-p99", slo_ms, "--write", tmp_path / "answer",
    )  # fmt: skip
    assert made.exit_code == status
    file = tmp_path / "answer/plan.json"
    result = run("verify", file, server.url, "--seconds", 5)
    assert result.exit_code == status
    for words in (
        "planned",
        "tenant-0",
        f"measured: {word}",
        "They agree",
        "bursts, sessions and peaks",
        "max_loras 4, the plan says",
    ):
        assert words in result.stdout  # fmt: skip


def test_a_plan_of_other_tenants_is_told_before_anything_is_sent(
    plan, server, tmp_path
):
    engine = plan.engines[0]
    stranger = engine.tenants[0].model_copy(update={"name": "stranger"})
    engine = engine.model_copy(update={"tenants": (stranger,)})
    file = tmp_path / "plan.json"
    write_plan(plan.model_copy(update={"engines": (engine,)}), file)
    result = run("verify", file, server.url)
    assert result.exit_code == Exit.UNREACHABLE
    assert "serves no 'stranger'" in result.stderr


def keep_asking(site, name, enough):
    """Ask for one long reply after the other until it is enough."""
    body = {"model": name, "prompt": [7] * 20, "max_tokens": 400,
            "ignore_eos": True}  # fmt: skip
    while not enough.is_set():
        post(f"{site}/v1/completions", body)


@contextmanager
def each_tenant_asks(site):
    """Have all eight ask, however quick the machine is, until the end."""
    enough = threading.Event()
    with ThreadPoolExecutor(len(NAMES)) as pool:
        asking = [pool.submit(keep_asking, site, n, enough) for n in NAMES]
        try:
            yield asking
        finally:
            enough.set()
    for tenant in asking:
        tenant.result()


def assert_all_ask(asking):
    for tenant in asking:
        assert not tenant.done(), tenant.exception()


def wait_until_half_of_them_wait(site, asking):
    """Four tenants have a slot, the other four wait for one."""
    deadline = time.monotonic() + 60
    seen = None
    while seen is None or (seen.names[0], seen.deferred[0]) != (4, 4):
        assert time.monotonic() < deadline, f"the page says {seen}"
        assert_all_ask(asking)
        time.sleep(0.02)
        seen = look([fetch_scrape(site)], time.time())


def test_diagnose_finds_tenants_that_wait_for_slots(server):
    """Eight tenants on four slots, and vLLM's own page says so."""
    with each_tenant_asks(server.url) as asking:
        wait_until_half_of_them_wait(server.url, asking)
        result = run("diagnose", server.url, "--every", 0.5, "--json")
        assert_all_ask(asking)
    told = json.loads(result.stdout)
    # Those that wait are not named: their events come with a first token.
    assert told["names"][0] == 4 and told["max_loras"] == 4
    assert told["deferred"][0] == 4 and told["capacity"][0] == 0
    assert "deferral" in [row["key"] for row in told["fitting"]]
    after = run("diagnose", server.url, "--num", 1, "--json")
    quiet = json.loads(after.stdout)
    assert quiet["running"] == [0] and quiet["fitting"] == []


def test_the_server_tells_when_it_started(server):
    """What `start` of the table asks for is on vLLM's page."""
    assert fetch_scrape(server.url).has(STARTED)
