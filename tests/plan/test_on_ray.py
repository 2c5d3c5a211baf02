"""Settings are played on Ray with the same results, whoever dies."""

import os
import signal
import socket
import uuid
from pathlib import Path

import pytest

import families
import long_plans
import ray_cluster
from cases import a_case
from deadly_cases import deadly
from multilora.plan.jobs import Job, in_turn
from multilora.plan.make import make_plan
from multilora.plan.on_ray import Address, OnRay
from multilora.plan.played import Dials
from multilora.plan.workers import workers_of
from programs import python

pytestmark = pytest.mark.peers
pytest.importorskip("ray", reason="needs Ray: make test-peers")

SUPPORT = Path(families.__file__).parent
JOBS = [Job([range(4)], Dials(num, 2048, 64)) for num in (1, 2, 3, 4)]


@pytest.fixture(scope="module")
def case():
    return a_case(4, rate=4, seconds=60, card_gib=23.63)


@pytest.fixture(scope="module")
def expected(case):
    return list(in_turn(case)(JOBS))


@pytest.fixture(scope="module")
def token():
    """A mark on all that Ray starts in this module; none may remain."""
    before = dict(os.environ)
    token = os.environ[families.TOKEN] = uuid.uuid4().hex
    paths = [str(SUPPORT), *before.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    yield token
    os.environ.clear()
    os.environ.update(before)
    families.wait_until_gone(token)


@pytest.fixture(scope="module")
def local(token, case):
    with OnRay(case, Address(None)) as players:
        yield players


def test_ray_gives_the_same_in_the_same_order(local, expected):
    assert list(local(JOBS)) == expected
    assert list(local(JOBS[::-1])) == expected[::-1]


def test_jobs_of_a_worker_that_is_killed_are_played_again(
    local, token, expected
):
    results = local(JOBS)
    found = [next(results)]
    workers = [
        number
        for number, line in families.family(token).items()
        if line.startswith("ray::") and "Agent" not in line
    ]
    assert workers
    for number in workers:
        os.kill(number, signal.SIGKILL)
    assert [*found, *results] == expected


def test_a_job_that_kills_its_workers_is_played_here(local, case, expected):
    """It uses the Ray that runs, and leaves it running."""
    with OnRay(deadly(case), Address(None)) as players:
        assert list(players(JOBS[:1])) == expected[:1]
    assert list(local(JOBS)) == expected


def test_the_plan_is_the_same(local, case):
    assert make_plan(case, workers="ray://local") == make_plan(case)


@pytest.mark.parametrize("death", ["SIGKILL", "SIGINT"])
def test_nothing_outlives_the_command(death, tmp_path):
    token = uuid.uuid4().hex
    error = tmp_path / "stderr"
    command = long_plans.start("ray://local", token, error, "ray::outcome")
    status = long_plans.end(command, death, token, 30, 30)
    if death == "SIGINT":
        assert status == 130
        assert "multilora: interrupted" in error.read_text()


@pytest.fixture(scope="module")
def cluster():
    with ray_cluster.cluster() as found:
        yield found


def planned(workers, **environment):
    """What the command prints, and on stderr."""
    words = [
        "--model", "Llama-3.1-8B", "--card", "24", "--tenants", "6",
        "--rate", "4", "--minutes", "2", "--json", "--workers", workers,
    ]  # fmt: skip
    done = python("-m", "multilora.cli", "plan", *words, **environment)
    return done.stdout, done.stderr


def test_a_cluster_that_we_come_to_as_a_client_gives_the_same(cluster):
    """It gets the code that plays from us: it has no PYTHONPATH."""
    port, access = cluster
    found, said = planned(f"ray://127.0.0.1:{port}", **access)
    assert (found, "Traceback" in said) == (planned("1")[0], False), said


def test_auto_is_the_cluster_of_this_machine(cluster, monkeypatch):
    for name, value in cluster[1].items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    found = workers_of("auto")
    assert found.address is not None and not found.address.is_client
    printed, said = planned("auto")
    assert (printed, "Traceback" in said) == (planned("1")[0], False), said


def test_who_has_no_token_reads_what_to_do(cluster):
    port, access = cluster
    other = access | {"RAY_AUTH_MODE": "disabled"}
    said = planned(f"ray://127.0.0.1:{port}", **other)[1].splitlines()
    assert said[-1].startswith("multilora: workers is 'ray://127.0.0.1:")
    assert "wants RAY_AUTH_MODE=token here" in said[-1]


def test_a_client_is_no_second_ray_of_a_process(local, case):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ValueError, match="this process uses a Ray alr"):
            make_plan(case, workers=f"ray://127.0.0.1:{port}")


def test_an_address_that_does_not_answer_is_a_sentence(case):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    match = r"^workers is 'ray://.*, but no Ray cluster of this version"
    with pytest.raises(ValueError, match=match):
        make_plan(case, workers=f"ray://127.0.0.1:{port}")
