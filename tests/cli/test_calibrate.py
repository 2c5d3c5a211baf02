"""`multilora calibrate` sends probes, and takes back what it loaded."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from fake_vllm import FakeVllm
from multilora.cli.app import Exit, whole_app
from multilora.serving.calibration import read_calibration
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits

COST = step_cost(2, 0.1, 0.01, 0, 4, 10, lora_ms=1, adapter_ms=0.2)
LIMITS = engine_limits(2, 8, 1024, 3)
NAMES = ["a", "b", "c", "d"]
ENGINE = ["--max-loras", "2", "--max-cpu-loras", "3", "--max-num-seqs", "8",
          "--max-num-batched-tokens", "1024"]  # fmt: skip
SHORT = ["--prompt-tokens", "16,128", "--output-tokens", "8,16",
         "--seconds", "1.5", "--max-at-once", "4",
         "--timeout", "1"]  # fmt: skip


def run(*arguments, **options):
    return CliRunner().invoke(
        whole_app(), ["calibrate", *map(str, arguments)], **options
    )


def test_all_adapters_of_a_server_are_probed_and_a_file_is_written(tmp_path):
    file = tmp_path / "calibration.json"
    with FakeVllm(COST, LIMITS, NAMES) as server:
        result = run(server.url, *ENGINE, *SHORT, "--write", file)
    assert result.exit_code == Exit.YES, result.output
    found = read_calibration(file)
    assert found.limits == LIMITS
    assert {call[0] for call in server.completions} == {"base", *NAMES}
    for words in ("a step, whatever is in it", "drift", "half are off by",
                  "a read of the disk", str(file)):  # fmt: skip
        assert words in result.stdout.replace("\n", "")
    again = run(server.url, *ENGINE, *SHORT, "--write", file)
    assert again.exit_code == Exit.BAD_INPUT
    assert "there already" in again.stderr and "--force" in again.stderr


def test_a_script_gets_what_the_file_holds(tmp_path):
    file = tmp_path / "one.json"
    file.write_text("mine")
    with FakeVllm(COST, LIMITS, NAMES[:2]) as server:
        result = run(
            server.url, *ENGINE, *SHORT, "--write", file, "--force",
            "--json", "--adapter", "a", "--adapter", "b", "--adapter", "d=/d",
        )  # fmt: skip
    assert json.loads(result.stdout) == json.loads(file.read_text())
    assert server.most_loaded == 3 and server.adapters == ["a", "b"]


@pytest.mark.parametrize("missing", ENGINE[::2])
def test_a_number_of_the_engine_that_is_missing_is_asked_for(missing):
    place = ENGINE.index(missing)
    result = run("http://h", *ENGINE[:place], *ENGINE[place + 2 :])
    assert result.exit_code == Exit.BAD_INPUT
    assert f"{missing} is missing" in result.stderr
    assert "command line" in result.stderr or "in its log" in result.stderr


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["--prompt-tokens", "5"], "--prompt-tokens is '5'"),
        (["--output-tokens", "8,x"], "--output-tokens is '8,x'"),
        (["--prompt-tokens", "9,5"], "prompt_tokens, longest, is 5"),
        (["--max-cpu-loras", "1"], "max_cpu_loras is 1"),
        (["--adapter", "a", "--adapter", "a"], "'a' comes twice"),
        (["--adapter", "a"], "at least two"),
        (["--seconds", "nan"], "seconds is nan"),
        (["--write", "/"], "cannot be written"),
        (["--write", "/dev/null", "--force"], "cannot be written"),
        (["--write", "nowhere/x.json"], "cannot be written"),
    ],
)
def test_wrong_options_are_one_sentence(changes, sentence):
    if "--adapter" not in changes:
        changes = [*changes, "--adapter", "e", "--adapter", "f"]
    result = run("http://127.0.0.1:9", *ENGINE, "--write", "x.json", *changes)
    assert result.exit_code == Exit.BAD_INPUT, result.output
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"fault": "not vllm"}, "not as vLLM's server does"),
        ({"fault": "other json"}, "not as vLLM's server does"),
        ({"key": "sesame"}, "wants its API key"),
        ({"fault": "dies", "after": 9}, "broke off|no server answers"),
        ({"fault": "no tokens"}, "/tokenize"),
    ],
)
def test_a_server_that_cannot_be_measured_is_one_sentence(
    arguments, sentence, tmp_path
):
    file = tmp_path / "calibration.json"
    with FakeVllm(COST, LIMITS, NAMES, **arguments) as server:
        result = run(server.url, *ENGINE, *SHORT, "--write", file)
    assert result.exit_code == Exit.UNREACHABLE
    assert any(part in result.stderr for part in sentence.split("|"))
    assert "Traceback" not in result.stderr and not file.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_takes_our_adapters_out_again(number, tmp_path):
    file = tmp_path / "calibration.json"
    arguments = [*ENGINE, *SHORT, "--seconds", "60", "--write", str(file)]
    for name in ("a", "b", "mine=/mine"):
        arguments += ["--adapter", name]
    with FakeVllm(COST, LIMITS, ["a", "b"]) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "multilora.cli", "calibrate", server.url,
             *arguments],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ),
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while len(server.completions) < 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "mine" in server.adapters
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
        assert server.adapters == ["a", "b"]
    assert process.returncode == Exit.INTERRUPTED
    assert said.splitlines()[-1] == "multilora: interrupted"
    assert "Traceback" not in said and not file.exists()
