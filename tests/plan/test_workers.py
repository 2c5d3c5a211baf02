"""Settings are played elsewhere with the same results, whoever dies."""

import multiprocessing
import os
import signal
import sys
import uuid

import pytest

import long_plans
from bad_input import each_wrong_value
from cases import a_case
from deadly_cases import deadly
from multilora.engine import ray_setup
from multilora.plan import on_ray
from multilora.plan.jobs import Job, in_turn
from multilora.plan.make import make_plan
from multilora.plan.on_cores import MAX_DEATHS, Cores, num_cores
from multilora.plan.played import Dials, World
from multilora.plan.workers import Workers, workers_of

GOOD = {workers_of: (2,), Cores: (a_case(2, seconds=5), 1)}
JOBS = [
    Job([range(6)], Dials(1, 2048, 64)),
    Job([range(5), [5]], Dials(5, 2048, 64)),
    Job([[0, 2, 4], [1, 3, 5]], Dials(1, 8192, 64)),
    Job([range(6)], Dials(6, 2048, 64)),  # six wide slots do not start
    Job([range(5), [5]], Dials(5, 2048, 64), World(slower=2.0)),
]

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)


@pytest.fixture(scope="module")
def case():
    ranks = [16] * 5 + [256]
    return a_case(6, rate=4, seconds=60, card_gib=30, ranks=ranks)


@pytest.fixture(scope="module")
def expected(case):
    return list(in_turn(case)(JOBS))


def test_here_is_the_plain_loop(case, expected):
    with workers_of(1).players(case) as players:
        assert list(players(JOBS)) == expected
    assert expected[3] is None and None not in expected[:3]
    assert expected[4].p99_ms > expected[1].p99_ms


def test_processes_give_the_same_in_the_same_order(case, expected):
    """Twice over, so that the second batch meets workers that are warm."""
    with workers_of("2").players(case) as players:
        assert list(players(JOBS)) == expected
        assert list(players(JOBS[::-1])) == expected[::-1]
        assert list(players([])) == []
    assert not multiprocessing.active_children()


def test_the_plan_is_the_same():
    case = a_case(6, rate=6, seconds=60, card_gib=23.63, slo_ms=150)
    lines = {1: [], 2: []}
    alone, together = (
        make_plan(case, max_engines=2, progress=lines[n].append, workers=n)
        for n in (1, 2)
    )
    assert together == alone
    assert lines[2] == lines[1] and len(lines[1]) > 5


def test_jobs_of_a_worker_that_is_killed_are_played_again(case, expected):
    """Killed between two results, and between two batches."""
    with Cores(case, 2) as cores:
        results = cores(JOBS)
        found = [next(results)]
        kill_workers()
        assert [*found, *results] == expected
        kill_workers()
        assert list(cores(JOBS)) == expected


def test_a_job_that_kills_its_workers_is_played_here(
    case, expected, monkeypatch
):
    pools = []
    start = Cores._started
    monkeypatch.setattr(
        Cores, "_started", lambda it: pools.append(start(it)) or pools[-1]
    )
    with Cores(deadly(case), 1) as cores:
        assert list(cores(JOBS[:1])) == expected[:1]
    assert len(pools) == 1 + MAX_DEATHS


def kill_workers():
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, signal.SIGKILL)


@pytest.mark.engine  # needs none, but keeps `make test` light
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("death", ["SIGKILL", "SIGINT"])
def test_no_worker_outlives_the_command(death, tmp_path):
    """Ctrl-C, which a terminal sends to all of them, is one sentence."""
    token = uuid.uuid4().hex
    command = long_plans.start("2", token, tmp_path / "stderr")
    status = long_plans.end(command, death, token, 20, 10)
    if death == "SIGINT":
        assert status == 130
        said = (tmp_path / "stderr").read_text()
        assert said.startswith("multilora: interrupted")
        assert said.count("\n") == 1


def test_a_number_is_of_processes():
    assert workers_of(3) == workers_of(" 3 ") == Workers(3)
    assert workers_of(3).told == " in 3 processes"
    assert workers_of(1).told == ""
    assert workers_of(Workers(3)) == Workers(3)


def test_auto_is_every_core_where_no_cluster_answers(monkeypatch, tmp_path):
    """Also where the note of a cluster that ended was left behind."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert workers_of("auto") == Workers(num_cores())
    note = tmp_path / "ray/ray_current_cluster"
    note.parent.mkdir()
    note.write_text("127.0.0.1:9")
    assert workers_of("auto") == Workers(num_cores())
    monkeypatch.setenv("RAY_ADDRESS", "what?")
    assert workers_of("auto") == Workers(num_cores())


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("ray://local", on_ray.Address(None)),
        ("ray://head", on_ray.Address("head", 10001)),
        ("ray://10.0.0.7:20001", on_ray.Address("10.0.0.7", 20001)),
        ("ray://[::1]:7/", on_ray.Address("[::1]", 7)),
    ],
)
def test_an_address_is_read(asked, address):
    assert workers_of(asked) == Workers(1, address)


@pytest.mark.parametrize(
    "asked",
    ["rey://local", "ray:/head", "ray://", "ray://head:0", "ray://head:99999",
     "ray://head:x", "two", "", "0", "-1", "1025", "1.5", "AUTO"],
)  # fmt: skip
def test_what_is_misspelt_is_a_sentence(asked):
    with pytest.raises(ValueError, match=r"^workers is .*, but must be "):
        workers_of(asked)


def test_ray_that_is_absent_says_how_to_install_it(case, monkeypatch):
    monkeypatch.setattr(ray_setup, "find_spec", lambda name: None)
    match = r"^workers is 'ray://local', but Ray is not installed: pip install"
    with pytest.raises(ValueError, match=match):
        make_plan(case, workers="ray://local")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    assert workers_of("auto") == Workers(num_cores())
