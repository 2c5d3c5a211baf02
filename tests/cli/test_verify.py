"""`multilora verify` says what a live server did beside what was planned."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fake_vllm import FakeVllm
from live_plans import one_engine, setting
from made_calibration import CALIBRATION
from metric_pages import page
from multilora.cli.app import Exit, whole_app
from multilora.plan.answer import Outcome, Tenant
from multilora.plan.stored import write_plan
from multilora.serving.calibration import write_calibration
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits

STUB = Path(__file__).parents[1] / "support/stub_generator.py"
FAKE = step_cost(1, 0, 0, 0, 0, 0), engine_limits(2, max_cpu_loras=3)
NAMES = ["a", "b", "c"]
OUTCOME = Outcome(
    p50_ms=40, p99_ms=90, gap_ms=12, share=1, hit_rate=0.9, busy=0.5,
    num_slot_loads=1, num_disk_loads=0,
)  # fmt: skip


def tenant(name, rank=8, rate=2.0):
    return Tenant(
        name=name, rank=rank, num_requests=600, requests_per_s=rate,
        mean_prompt_tokens=40, mean_output_tokens=9, p50_ms=40, p99_ms=90,
        gap_ms=12, meets_slo=True,
    )  # fmt: skip


def plan(names=NAMES, slo_ms=500, outcome=OUTCOME, extra=()):
    tenants = (*map(tenant, names), *extra)
    return one_engine("base", tenants, setting(), outcome, slo_ms, 300, 1800)


@pytest.fixture
def stub(tmp_path):
    """A program whose name begins with python, as --vllm wants it."""
    path = tmp_path / "python-stub"
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {STUB} "$@"\n', "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plan.json"
    write_plan(plan(), path)
    return path


def fake(max_loras):
    lines = ((max_loras, (), 1.0),)
    return FakeVllm(*FAKE, NAMES, metrics=[page(lora_lines=lines)])


@pytest.fixture
def server():
    with fake(max_loras=2) as server:
        yield server


def run(*arguments, env=None):
    return CliRunner().invoke(
        whole_app(), ["verify", *map(str, arguments)], env=env
    )


def test_a_server_that_keeps_the_slo_is_a_yes(file, server, stub):
    result = run(file, server.url, "--vllm", stub, "--seconds", 30)
    assert result.exit_code == Exit.YES, result.output
    assert "measured: met, by 100.0% of the tenants" in result.stdout
    assert "They agree" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines()]
    every = next(row for row in rows if row[:1] == ["all"])
    assert every[2:9] == ["0", "50", "40", "50", "90", "10", "12"]
    asked = [call[0] for call in server.completions]
    assert sorted(asked) == NAMES  # once each, warm


def test_a_server_that_misses_it_is_a_no(file, server, stub):
    result = run(
        file, server.url, "--vllm", stub, "--json", env={"STUB": "slow"}
    )
    told = json.loads(result.stdout)
    assert result.exit_code == Exit.NO
    assert told["measured"]["p99_ms"] == pytest.approx(3000)
    assert told["measured"]["share"] == 0
    assert (told["is_met"], told["was_met"]) == (False, True)
    assert not told["is_agreed"] and len(told["tenants"]) == 3


def test_a_request_that_fails_is_no_slo_that_is_met(file, server, stub):
    result = run(file, server.url, "--vllm", stub, env={"STUB": "one fails"})
    assert result.exit_code == Exit.NO
    assert "ConnectionError: refused" in result.stdout


def test_the_generator_gets_each_request_s_tenant_and_the_key(
    server, stub, tmp_path
):
    """Rank 0 is the base, by the name that the server gives it."""
    file, log = tmp_path / "plan.json", tmp_path / "log"
    write_plan(plan(extra=(tenant("(base)", rank=0),)), file)
    server.key = "sesame"
    env = {"STUB_LOG": str(log), "VLLM_API_KEY": "sesame"}
    result = run(file, server.url, "--vllm", stub, "--seed", 5, env=env)
    assert result.exit_code == Exit.YES, result.output
    told = json.loads(log.read_text())
    given = told["arguments"]
    assert told["key"] == "sesame"
    assert not any("sesame" in argument for argument in given)
    names = given[given.index("--lora-modules") + 1 :]
    num = int(given[given.index("--num-prompts") + 1])
    assert set(names[:num]) == {*NAMES, "base"}
    assert given[given.index("--lora-assignment") + 1] == "round-robin"
    assert f"--base-url={server.url}" in given


def test_the_same_requests_are_simulated_with_a_calibration(
    file, server, stub, tmp_path
):
    calibration = tmp_path / "calibration.json"
    write_calibration(CALIBRATION, calibration)
    arguments = file, server.url, "--vllm", stub, "--calibration", calibration
    assert "the same requests, simulated: p50" in run(*arguments).stdout
    told = json.loads(run(*arguments, "--json").stdout)
    assert told["simulated"]["p50_ms"]["middle"] > 10


def test_another_engine_than_the_plan_s_is_told(file, stub):
    with fake(max_loras=9) as server:
        result = run(file, server.url, "--vllm", stub)
    assert "max_loras 9, the plan says 2" in result.stdout


@pytest.mark.parametrize(
    ("fault", "status", "sentence"),
    [
        ("dies", Exit.BAD_INPUT, "OSError: no tokenizer of that name"),
        ("old", Exit.BAD_INPUT, "must have timed traces"),
        ("cut", Exit.BAD_INPUT, "without a result"),
        ("another form", Exit.BAD_INPUT, "of another form"),
        ("all fail", Exit.UNREACHABLE, "requests was answered (Conn"),
        ("hangs", Exit.UNREACHABLE, "too slow for them, or stuck"),
    ],
)
def test_a_generator_that_fails_is_one_sentence(
    fault, status, sentence, file, server, stub
):
    result = run(
        file, server.url, "--vllm", stub, "--timeout", 1, "--seconds", 1,
        env={"STUB": fault},
    )  # fmt: skip
    assert result.exit_code == status, result.output
    assert sentence in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"fault": "not vllm"}, "not as vLLM's server does"),
        ({"key": "sesame"}, "wants its API key"),
        ({"adapters": ["a"]}, "serves no 'b', and 2 of the plan's 3"),
        ({"fault": "refuses", "after": -1}, "answers 400"),
    ],
)
def test_a_server_that_cannot_be_asked_is_one_sentence(
    arguments, sentence, file, stub
):
    adapters = arguments.pop("adapters", NAMES)
    with FakeVllm(*FAKE, adapters, **arguments) as server:
        result = run(file, server.url, "--vllm", stub)
    assert result.exit_code == Exit.UNREACHABLE, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_nobody_there_is_one_sentence(file, stub):
    result = run(file, "http://127.0.0.1:9", "--vllm", stub)
    assert result.exit_code == Exit.UNREACHABLE
    assert "no server answers" in result.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["--engine", "2"], "number is 2, but must be an integer from 1 to 1"),
        (["--seconds", "0"], "seconds is 0"),
        (["--seconds", "1e-9"], "gets no request at 6 requests/s"),
        (["--max-requests", "0"], "max_requests is 0"),
        (["--vllm", "nowhere"], "which is no program"),
        (["--calibration", "nowhere"], "cannot be read"),
        (["--seed", "-1"], "seed is -1"),
    ],
)
def test_wrong_options_are_one_sentence(changes, sentence, file, stub):
    result = run(file, "http://127.0.0.1:9", "--vllm", stub, *changes)
    assert result.exit_code == Exit.BAD_INPUT, result.output
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_ctrl_c_ends_the_generator_too(file, server, stub, tmp_path):
    log = tmp_path / "log"
    env = os.environ | {"STUB": "hangs", "STUB_LOG": str(log)}
    process = subprocess.Popen(
        [sys.executable, "-m", "multilora.cli", "verify", str(file),
         server.url, "--vllm", str(stub)],
        env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if log.exists() and log.read_text():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == Exit.INTERRUPTED
    assert said.splitlines()[-1] == "multilora: interrupted"
    with pytest.raises(ProcessLookupError):
        os.kill(json.loads(log.read_text())["pid"], 0)
