"""Ray Serve in front of vLLM: loads under concurrency, and what ends them.

`make fleet RECORD=--record` keeps what comes out for the pages.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

import families
import ray_scenes
from multilora.engine.ray_serve import serve_on_ray
from multilora.evidence.ray_runs import ray_runs
from multilora.tenants import folder_of
from ray_scenes import (
    ADAPTERS,
    DISK_MS,
    NUM_REPLICAS,
    SETTINGS,
    SLOTS,
    record,
    runs_of,
)

pytest.importorskip("ray", reason="needs Ray: make fleet")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.timed,
    pytest.mark.fleet,
    pytest.mark.filterwarnings("ignore"),
]
# Loads of fewer than this are no thrash: each adapter once on each replica.
EVERYWHERE = NUM_REPLICAS * len(ADAPTERS)


@pytest.fixture(scope="module")
def served(request):
    """What came of each setting: a Served a phase."""
    found = serve_on_ray(
        folder_of("base"), ADAPTERS, list(SETTINGS.values()), num_tokens=8,
        disk_ms=DISK_MS,
    )  # fmt: skip
    found = dict(zip(SETTINGS, found, strict=True))
    if request.config.getoption("record"):
        record(found)
    return found


@pytest.mark.parametrize("name", ["default", "more ongoing"])
def test_one_client_finds_the_homes(served, name):
    """Ids are pushed every 0.1 s: a second home may come before that."""
    alone, _ = served[name]
    assert len(ADAPTERS) <= alone.num_loads < EVERYWHERE


def test_concurrency_loads_again_and_again(served):
    """A replica with five requests refuses more, and anybody gets them."""
    _, crowd = served["default"]
    assert set(crowd.homes.values()) == {NUM_REPLICAS}
    assert crowd.num_loads > 2 * EVERYWHERE


def test_replicas_that_refuse_nobody_end_it(served):
    """The same requests: each goes to a home that one client found."""
    (_, thrash), (_, calm) = served["default"], served["more ongoing"]
    assert calm.num_loads < thrash.num_loads / 5
    assert sum(calm.homes.values()) < sum(thrash.homes.values())


def test_room_for_all_on_each_replica_bounds_it(served):
    (crowd,) = served["all on each"]
    assert crowd.num_loads <= EVERYWHERE


def test_vllm_loads_what_ray_serve_loads(served):
    """Its slots and the names of Ray Serve are two LRU lists of one size.

    Between a load and its request another load may take the slot: vLLM then
    loads once more.
    """
    for phases in served.values():
        slot_loads = sum(one.num_slot_loads for one in phases)
        loads = sum(one.num_loads for one in phases)
        assert slot_loads == pytest.approx(loads, rel=0.15, abs=2)
        disk_loads = sum(one.num_disk_loads for one in phases)
        assert disk_loads == pytest.approx(slot_loads, abs=2)


def test_slots_in_lru_order_load_as_often_on_the_same_split(served):
    for run in ray_runs(runs_of(served)):
        assert run.num_on_split == pytest.approx(
            run.num_loads, rel=0.15, abs=2
        ), run.setting


def test_each_request_is_answered_by_its_adapter(served):
    texts = {}
    for phases in served.values():
        for one in (answer for phase in phases for answer in phase.answers):
            texts.setdefault(ADAPTERS[one.adapter], set()).add(one.text)
    assert len(set.union(*texts.values())) == len(texts) == 4
    assert SLOTS < len(texts)


def test_nothing_outlives_the_parent():
    """Killed while Ray starts, which makes sessions of its own."""
    token = uuid.uuid4().hex
    paths = [str(Path(ray_scenes.__file__).parent), *sys.path]
    parent = subprocess.Popen(
        [sys.executable, "-c", "import ray_scenes; ray_scenes.serve()"],
        start_new_session=True,  # what remains of its session is killed
        env=os.environ | {families.TOKEN: token,
                          "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and parent.poll() is None:
        lines = families.family(token).values()
        if any("/raylet/raylet" in line for line in lines):
            break
        time.sleep(0.2)
    _, sessions = families.whole_family(token)
    assert len(sessions) > 1
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    families.wait_until_gone(token, sessions, limit=30)
