"""`multilora fit`: a line, a card, an answer, an exit status."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from multilora.cli.app import whole_app
from multilora.memory.ledger import memory_ledger
from multilora.models.shipped import model_shape
from multilora.published import published

LINE = (
    "vllm serve meta-llama/Llama-3.1-8B --enable-lora --max-loras 8 "
    "--max-lora-rank 64"
)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """Not this machine's Hugging Face cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def run(*arguments, stdin=None):
    return CliRunner().invoke(whole_app(), ["fit", *arguments], input=stdin)


def answer(*arguments):
    result = run(*arguments, "--json")
    return json.loads(result.stdout), result.exit_code


def test_a_line_that_starts_says_tokens_requests_and_what_was_used():
    result = run(LINE, "--card", "80", "--request-tokens", "500")
    ledger = memory_ledger(model_shape("Llama-3.1-8B"), 79.1, 8, 64)
    low, high = ledger.kv_tokens_low, ledger.kv_tokens_high
    assert result.exit_code == 0
    assert f"It starts on a GPU of 79.1 GiB, vLLM 0.32.0: {low:,}" in (
        result.stdout
    )
    assert f"{high:,} KV tokens" in result.stdout
    for said in ("WWWW", "S slots 2.75", "131,072", "2,048", " 500 ",
                 "a card sold as 80 GB has 79.1 GiB",
                 "that of Llama-3.1-8B, which comes along"):  # fmt: skip
        assert said in result.stdout
    assert "\x1b" not in result.stdout


def test_json_is_the_same_answer_as_numbers():
    found, status = answer(LINE, "--card", "H100")
    ledger = memory_ledger(model_shape("Llama-3.1-8B"), 79.1, 8, 64)
    assert status == 0
    assert found["verdict"] == "starts"
    assert found["memory"]["slot_bytes"] == ledger.slot_bytes
    assert found["memory"]["kv_tokens_low"] == ledger.kv_tokens_low
    assert found["num_gpus"] == 1
    assert found["changes"] == []


def test_a_line_that_does_not_start_says_what_would():
    line = (
        "vllm serve Qwen3-30B-A3B --enable-lora --max-loras 4 "
        "--max-lora-rank 64"
    )
    result = run(line, "--card", "80")
    assert result.exit_code == 1
    assert "It does not start" in result.stdout
    assert "!!!" in result.stdout
    found, status = answer(line, "--card", "80")
    assert status == 1
    for change in found["changes"]:
        assert change["argument"] in result.stdout
        again, status = answer(f"{line} {change['argument']}", "--card", "80")
        assert (again["verdict"], status) == ("starts", 0)


def test_what_is_not_sure_does_not_exit_as_if_it_were():
    line = "vllm serve Llama-3.1-8B --max-model-len 30000"
    found, status = answer(line, "--card", "24")
    assert (found["verdict"], status) == ("may start", 1)


@pytest.mark.parametrize(
    "row", published("public_starts")["rows"], ids=lambda row: row["id"]
)
def test_public_start_ups_are_in_the_range_that_is_printed(row, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(row["config"]), "utf-8")
    line = (
        f"vllm serve {row['model']} "
        f"--gpu_memory_utilization={row['gpu_memory_utilization']} "
        f"--max-model-len {row['max_model_len']} "
        f"--max-num-batched-tokens {max(2048, row['max_model_len'])}"
    )
    if row["max_loras"] is not None:
        line += (
            f" --enable-lora --max-loras {row['max_loras']} "
            f"--max-lora-rank {row['max_lora_rank']}"
        )
    found, _ = answer(
        line, "--card", f"{row['card_gib']}GiB", "--vllm-version",
        row["vllm_version"], "--config-json", str(path),
    )  # fmt: skip
    assert found["verdict"] != "does not start"
    memory = found["memory"]
    assert memory["kv_tokens_low"] <= row["kv_tokens"]
    assert row["kv_tokens"] <= memory["kv_tokens_high"]


def test_a_line_comes_from_stdin_too():
    piped = run("-", "--card", "80", "--json", stdin=LINE + " \\\n -tp 2\n")
    assert json.loads(piped.stdout)["num_gpus"] == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "line is empty"),
        ("vllm serve", "line names no model"),
        ("vllm serve A B", "must name one model"),
        ("vllm serve 'Llama-3.1-8B", "left open"),
        ("vllm serve Llama-3.1-8B --max-loraz 8", "nearest name is --max-l"),
        ("vllm serve Llama-3.1-8B --max-loras", "--max-loras needs a value"),
        ("vllm serve Llama-3.1-8B --max-loras abc", "--max-loras is 'abc'"),
        ("vllm serve Llama-3.1-8B -tp 3", "tensor_parallel_size is 3"),
        ("vllm serve who/knows", "give --config-json FILE"),
        ("vllm serve M " + "x" * 2**20, "must have at most 1,000,000"),
        ("vllm serve /dev/null", "which holds no config.json"),
        ("vllm serve \udcff", "model is"),
        ("vllm serve [red]", "model is '[red]'"),
    ],
)
def test_a_bad_line_is_one_sentence_and_status_2(line, sentence):
    result = run(line, "--card", "80")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--card", "GB300"], "card is 'GB300'"),
        (["--card", "0"], "card is 0"),
        (["--card", "80", "--request-tokens", "0"], "request_tokens is 0"),
        (["--card", "80", "--vllm-version", "9.9"], "vllm_version is '9.9'"),
        (["--card", "80", "--config-json", "none"], "config_json is 'none'"),
    ],
)
def test_a_bad_option_is_one_sentence_and_status_2(options, sentence):
    result = run(LINE, *options)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_without_a_card_the_command_asks_for_one():
    result = run(LINE)
    assert result.exit_code == 2
    assert "--card" in result.stderr


def test_the_command_as_a_program_starts_quickly_and_pipes():
    program = [sys.executable, "-m", "multilora.cli", "fit"]
    done = subprocess.run(
        [*program, LINE, "--card", "80"],
        capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "It starts" in done.stdout
    assert "\x1b" not in done.stdout
    bad = subprocess.run(
        [*program, "vllm serve", "--card", "80"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert bad.returncode == 2
    assert bad.stderr.startswith("multilora: line names no model")
