"""`multilora diagnose` reads a server or saved pages, and only says."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fake_vllm import FakeVllm
from metric_pages import page
from multilora.cli.app import Exit, whole_app
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits

FAKE = step_cost(1, 0, 0, 0, 0, 0), engine_limits(2), ["a"]
LATE = page(
    running=4, deferred=3, kv=0.4, lora_lines=((4, tuple("abcd"), 5.0),)
)
FAST = "--every", "0"


def run(*arguments, **options):
    return CliRunner().invoke(
        whole_app(), ["diagnose", *map(str, arguments)], **options
    )


def test_a_server_in_trouble_gets_its_rows():
    with FakeVllm(*FAKE, metrics=[page(), LATE, LATE]) as server:
        result = run(server.url, *FAST)
    assert result.exit_code == Exit.YES
    out = result.stdout
    assert "rare tenants late" in out and "`" not in out
    assert (
        "deferred: 0, 3, 3, while 0, 4, 4 adapters run and max_lora is 4"
        in out
    )
    assert "change  max_cpu_loras, where it is below" in out
    assert "operators#a-diagnosis-two-in-the-morning" in out
    assert server.paths == ["/metrics"] * 3


def test_a_script_gets_json():
    with FakeVllm(*FAKE, metrics=[LATE]) as server:
        result = run(server.url, *FAST, "--num", "2", "--json")
    told = json.loads(result.stdout)
    assert [row["key"] for row in told["fitting"]] == ["deferral"]
    assert told["names"] == [4, 4] and told["num_scrapes"] == 2
    assert told["not_shown"]


def test_an_engine_without_trouble_says_what_stays_unseen():
    with FakeVllm(*FAKE, metrics=[page()]) as server:
        result = run(server.url, *FAST)
    assert "nothing that these metrics show" in result.stdout
    assert "TTFT, requests or tokens by tenant" in result.stdout


def test_saved_pages_do_as_well(tmp_path):
    files = []
    for place, text in enumerate((page(prompt_tokens=9), page(), LATE)):
        files += ["--file", tmp_path / str(place)]
        files[-1].write_text(text, "utf-8")
    result = run(*files)
    assert result.exit_code == Exit.YES
    assert "rare tenants late" in result.stdout
    assert "started again between two looks" in result.stdout
    single = run(*files[-2:])
    assert "one look shows what runs and waits now" in single.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"fault": "not vllm"}, "no page of vLLM's metrics"),
        ({"fault": "mute"}, "was silent for 0.3 s"),
        ({"key": "sesame"}, "wants a key, by --api-key or VLLM_API_KEY"),
    ],
)
def test_a_server_that_is_none_is_one_sentence(arguments, sentence):
    with FakeVllm(*FAKE, **arguments) as server:
        result = run(server.url, *FAST, "--timeout", "0.3")
    assert result.exit_code == Exit.UNREACHABLE
    assert sentence in result.stderr and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_the_key_may_come_from_the_environment():
    with FakeVllm(*FAKE, metrics=[page()], key="sesame") as server:
        result = run(server.url, *FAST, env={"VLLM_API_KEY": "sesame"})
    assert result.exit_code == Exit.YES


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "give either the url of a server, or --file"),
        (["http://h", "--file", "x"], "give either"),
        (["--file", "nowhere"], "cannot be read"),
        (["ftp://h"], "url is 'ftp://h', but must be http://host:port"),
        (["http://h", "--num", "0"], "--num is 0"),
        (["http://h", "--every", "nan"], "--every is nan"),
        (["http://h", "--slo-ms", "0"], "--slo-ms is 0"),
        (["http://h", "--timeout", "-1"], "timeout_s is -1"),
        (["http://h", "--api-key", "a\nb"], "api_key must be one line"),
    ],
)
def test_wrong_options_are_one_sentence(arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == Exit.BAD_INPUT
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_command_itself_runs(tmp_path):
    file = tmp_path / "metrics.txt"
    file.write_text(LATE, "utf-8")
    command = [sys.executable, "-m", "multilora.cli", "diagnose", "--file"]
    done = subprocess.run(
        [*command, str(file)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == Exit.YES and done.stderr == ""
    assert "rare tenants late" in done.stdout
