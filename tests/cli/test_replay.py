"""`multilora replay`: a log on an engine, as a person and a script see it."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from made_calibration import CALIBRATION
from multilora.cli import log_options as options
from multilora.cli import replay as part
from multilora.cli.app import whole_app
from multilora.cli.engine_options import engine_of
from multilora.logs.read import example_log_path, read_log
from multilora.serving.calibration import write_calibration
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import late_by_cause
from multilora.serving.logged import log_workload
from multilora.serving.run import serve

EXAMPLE = str(example_log_path())
HEAD = "time,model,prompt_tokens,completion_tokens\n"


def run(*arguments):
    words = [str(word) for word in arguments]
    return CliRunner().invoke(whole_app(), ["replay", *words])


@pytest.fixture
def file(tmp_path):
    def write(text, name="log.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def answer():
    return json.loads(run(EXAMPLE, "--json").stdout)


def test_the_numbers_are_those_of_serve(answer):
    log = read_log(EXAMPLE)
    engine = engine_of(*[None] * 8, is_cold=False)
    served = serve(
        log_workload(log), engine.limits, engine.cost,
        used_before=range(7, -1, -1),
    )  # fmt: skip
    p50, p99 = np.percentile(served.ttft_ns, [50, 99]) / NS_PER_MS
    assert (answer["p50_ms"], answer["p99_ms"]) == (p50, p99)
    late = late_by_cause(served, 500)
    assert answer["late"] == {c: int(v.sum()) for c, v in late.items()}
    assert answer["log"]["num_requests"] == 10_806
    assert answer["log"]["num_tenants"] == 40
    p99s = [one["p99_ms"] for one in answer["tenants"]]
    assert p99s == sorted(p99s, reverse=True) and len(p99s) == 10
    assert answer["worst_minute"]["start"].startswith("2026-03-02 09:")


def test_a_person_reads_the_same_numbers(answer):
    result = run(EXAMPLE)
    assert result.exit_code == 0 and not result.stderr
    assert f"p99 {answer['p99_ms']:,.0f} ms" in result.stdout
    worst = answer["tenants"][0]
    (line,) = (r for r in result.stdout.splitlines() if worst["tenant"] in r)
    assert f"{worst['num_late']:,}" in line and worst["cause"] in line
    assert answer["worst_minute"]["start"] in result.stdout


def test_more_slots_than_tenants_defer_nobody(answer):
    assert answer["late"]["deferral"] > 100
    roomy = json.loads(run(EXAMPLE, "--max-loras", 40, "--json").stdout)
    assert roomy["late"]["deferral"] == roomy["late"]["load"] == 0
    assert roomy["hit_rate"] == 1 > answer["hit_rate"]
    cold = run(EXAMPLE, "--max-loras", 40, "--cold", "--json").stdout
    assert json.loads(cold)["hit_rate"] < 1


def test_the_exit_status_tells_a_script_of_a_missed_slo():
    assert run(EXAMPLE, "--slo-ms", 500).exit_code == 1
    assert run(EXAMPLE, "--slo-ms", 5_000).exit_code == 0


def test_a_calibration_brings_its_own_limits(tmp_path):
    path = tmp_path / "calibration.json"
    write_calibration(CALIBRATION, path)
    found = run(EXAMPLE, "--calibration", path, "--json")
    assert found.exit_code == 0, found.stderr
    engine = json.loads(found.stdout)["engine"]
    assert engine["max_loras"] == CALIBRATION.limits.max_loras
    assert CALIBRATION.model in engine["cost"]
    again = run(EXAMPLE, "--calibration", path, "--max-loras", 2, "--json")
    assert json.loads(again.stdout)["engine"]["max_loras"] == 2
    assert run(EXAMPLE, "--calibration", path, "--model", "x").exit_code == 2


def test_what_was_skipped_is_shown_and_hostile_names_do_nothing(file):
    rows = "1700000000,[red]\x1b[31m{x},5,5\nbad,a,1,1\n1700000001,é,5,5\n"
    result = run(file(HEAD + rows))
    assert result.exit_code == 0
    assert "Skipped: 1 × a time that is no time, first in line 3" in (
        result.stdout
    )
    assert "[red]" in result.stdout and "\x1b" not in result.stdout


def test_hashed_names_show_no_name():
    result = run(EXAMPLE, "--hash-names", "--salt", "s")
    assert "tenant-" not in result.stdout
    assert result.stdout == run(EXAMPLE, "--hash-names", "--salt", "s").stdout


def test_a_log_without_tenants_or_tokens_is_played_with_options(file):
    path = file("when,tokens\n" + "".join(f"{n},5\n" for n in range(20)))
    assert run(path).exit_code == 2
    named = "--time-column", "when", "--prompt-column", "tokens"
    result = run(path, *named, "--time-unit", "s", "--output-tokens", 3)
    assert result.exit_code == 0
    assert "all requests are of one, 'all'" in result.stdout
    assert "20 lines do not say their output tokens" in result.stdout


def test_base_requests_have_their_own_row(file):
    path = file(HEAD + "1700000000,llama,5,5\n1700000001,a,5,5\n")
    found = json.loads(run(path, "--base", "llama", "--json").stdout)
    assert {one["tenant"] for one in found["tenants"]} == {"(base)", "a"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--max-loras", 0], "max_loras is 0"),
        (["--max-loras", 8, "--max-cpu-loras", 4], "max_cpu_loras is 4"),
        (["--max-lora-rank", 7], "max_lora_rank"),
        (["--max-loras", 9_999], "leave no KV cache"),
        (["--max-num-seqs", 9_000], "max_num_batched_tokens is 8192"),
        (["--kv-tokens", 5], "kv_tokens is 5"),
        (["--kv-tokens", 160], "--kv-tokens is 160"),
        (["--slo-ms", -1], "--slo-ms is -1"),
        (["--top", 0], "--top is 0"),
        (["--model", "gpt"], "model is 'gpt'"),
        (["--time-unit", "h"], "time_unit is 'h'"),
        (["--prompt-tokens", 0], "--prompt-tokens is 0"),
        (["--tenant-column", "x"], "--tenant-column"),
        (["--calibration", "none.json"], "none.json"),
        (["--salt", "s"], "--hash-names is not"),
    ],
)
def test_a_wrong_option_is_one_sentence(options, named):
    result = run(EXAMPLE, *options)
    assert result.exit_code == 2 and not result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("multilora: ") and named in line


def test_without_numba_it_says_how_long_a_large_log_takes(monkeypatch):
    monkeypatch.setattr(part, "has_numba", lambda: False)
    monkeypatch.setattr(part, "WORTH_TELLING", 1_000)
    monkeypatch.setattr(part, "LONG_S", 0)
    result = run(EXAMPLE)
    assert result.exit_code == 0
    assert "pip install 'multilora[fast]'" in result.stderr


def test_a_terminal_sees_a_bar_and_a_pipe_does_not(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        options.Progress,
        "update",
        lambda self, *_, **at: drawn.append((at["completed"], at["total"])),
    )
    monkeypatch.setattr(
        options,
        "Console",
        lambda stderr: Console(file=io.StringIO(), force_terminal=True),
    )
    assert run(EXAMPLE).exit_code == 0
    size = example_log_path().stat().st_size
    assert drawn and drawn[-1] == (size, size)


def test_as_a_process_it_reads_and_refuses(tmp_path):
    def called(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "multilora.cli", "replay", *arguments],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    good = called(EXAMPLE, "--json")
    assert good.returncode == 0 and not good.stderr
    assert json.loads(good.stdout)["format"] == "multilora replay"
    bad = called(str(tmp_path))
    assert bad.returncode == 2 and not bad.stdout
    assert bad.stderr.count("\n") == 1 and "no regular file" in bad.stderr
