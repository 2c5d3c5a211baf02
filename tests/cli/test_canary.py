"""`multilora canary`: what a person and a script see, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from fake_answers import FakeAnswers
from multilora.cli.app import whole_app

QUICK = ("--prompt", "one", "--repeats", "2")


def run(*arguments, **options):
    words = ["canary", *map(str, arguments)]
    return CliRunner().invoke(whole_app(), words, **options)


def test_a_person_reads_what_was_found_and_where():
    with FakeAnswers(fault="base rows") as server:
        result = run(server.url, *QUICK)
    assert result.exit_code == 1 and not result.stderr
    said = result.stdout
    assert "1 finding." in said
    assert "Found: base: 2 of 2 answers were not its own" in said
    assert "but those of b" in said and "prompt  one" in said
    assert "Known of vLLM 0.32.0" in said and "issues/48019" in said


def test_nothing_found_is_0_and_a_hint_too():
    with FakeAnswers() as server:
        result = run(server.url, *QUICK)
    assert result.exit_code == 0 and "Nothing found." in result.stdout
    with FakeAnswers(fault="shared id") as server:
        result = run(server.url, *QUICK)
    assert result.exit_code == 0
    assert "Nothing found, 1 hint" in result.stdout
    assert "Hint: b and a answer the same" in result.stdout


def test_no_verdict_is_not_0():
    with FakeAnswers(fault="sampling") as server:
        result = run(server.url, *QUICK)
    assert result.exit_code == 1 and "No verdict" in result.stdout


def test_a_script_reads_the_same_as_json():
    with FakeAnswers(fault="not applied") as server:
        result = run(server.url, *QUICK, "--load", "new=/new", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert not found["no_verdict"] and not found["is_healthy"]
    assert found["loaded"] == ["new"] and found["adapters"] == ["a", "b"]
    (one,) = found["findings"]
    assert (one["check"], one["model"]) == ("applied", "a")
    assert "may not be applied" in one["sentence"]
    known = {row["id"] for row in found["known_wrong_answers"]}
    assert "lmcache-mp-keys" in known


def test_what_a_server_says_moves_no_cursor():
    with FakeAnswers(adapters=["\x1b[2Ja", "[red]b"]) as server:
        result = run(server.url, *QUICK)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout and "[red]b" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["localhost"], 2, "url is 'localhost', but must be http"),
        (["http://127.0.0.1:9", "--load", "x"], 2, "--load is 'x'"),
        (["http://127.0.0.1:9", "--load", "=x"], 2, "--load is '=x'"),
        (["http://127.0.0.1:9", "--repeats", "0"], 2, "repeats is 0"),
        (["http://127.0.0.1:9", "--seconds", "nan"], 2, "seconds is nan"),
        (["http://127.0.0.1:9", "--prompt", ""], 2, "prompts is"),
        (["http://127.0.0.1:9"], 3, "no server answers"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, status, sentence):
    result = run(*arguments)
    assert result.exit_code == status
    assert sentence in result.stderr and result.stderr.count("\n") == 1


def test_a_proxy_s_page_and_a_missing_key_are_one_sentence():
    with FakeAnswers(fault="html") as server:
        result = run(server.url)
    assert result.exit_code == 3 and result.stderr.count("\n") == 1
    with FakeAnswers(key="sesame") as server:
        result = run(server.url)
        assert result.exit_code == 3 and "wants its API key" in result.stderr
        key = {"VLLM_API_KEY": "sesame"}
        assert run(server.url, *QUICK, env=key).exit_code == 0


def test_ctrl_c_takes_out_what_it_has_loaded():
    with FakeAnswers() as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "multilora.cli", "canary", server.url,
             "--load", "new=/new", *QUICK],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "COLUMNS": "80"},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not server.num_loads and time.monotonic() < deadline:
            time.sleep(0.01)
        server.hold_s = 1
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=30)
        assert process.returncode == 130 and not out
        assert error == "multilora: interrupted\n"
        assert server.unloaded == ["new"] * server.num_loads
