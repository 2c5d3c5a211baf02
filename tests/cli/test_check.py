"""`multilora check`: a table, worst first, and an exit status."""

import json
import shutil
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

import made_adapters
from multilora import tenants
from multilora.adapters.foreign import WEIGHTS
from multilora.adapters.misfits import make_misfit
from multilora.cli.app import whole_app
from multilora.models.shapes import ModelShape

BASE = tenants.folder_of("base")
SQL = tenants.folder_of("sql")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    """Not this machine's Hugging Face cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def run(*arguments):
    return CliRunner().invoke(whole_app(), ["check", *map(str, arguments)])


def answer(*arguments):
    result = run(*arguments, "--base", BASE, "--json")
    return json.loads(result.stdout), result.exit_code


@pytest.fixture
def hundred(tmp_path):
    for number in range(100):
        shutil.copytree(SQL, tmp_path / f"all/t{number:03}")
    return tmp_path / "all"


def test_good_adapters_are_a_table_and_a_line():
    folders = [tenants.folder_of(name) for name in tenants.tenant_names()]
    result = run(*folders, "--base", BASE)
    assert result.exit_code == 0
    for name in tenants.tenant_names():
        assert name in result.stdout
    num = len(folders)
    assert f"{num} of {num} can be served by vLLM 0.32.0 with " in (
        result.stdout
    )
    assert "--max-lora-rank 16" in result.stdout
    assert "\x1b" not in result.stdout


def test_one_bad_one_among_a_hundred_is_first_and_the_others_are_checked(
    hundred,
):
    shutil.rmtree(hundred / "t050")
    make_misfit("DoRA", SQL, hundred / "t050")
    started = time.perf_counter()
    result = run(hundred, "--base", BASE)
    assert time.perf_counter() - started < 10
    assert result.exit_code == 1
    rows = result.stdout.splitlines()
    assert rows[1].split() == ["t050", "refused"]
    assert "- t050: uses use_dora, which vLLM refuses" in result.stdout
    assert "99 of 100 can be served; 1 refused" in rows[-1]
    found, status = answer(hundred)
    assert status == 1
    assert (found["num_served"], found["num_refused"]) == (99, 1)
    assert found["adapters"][0]["name"] == "t050"
    assert found["adapters"][1]["scaling"] == 2


def test_a_sentence_that_many_share_is_said_once(hundred):
    result = run(hundred, "--base", "Llama-3.1-8B")
    assert result.exit_code == 1
    assert result.stdout.count("but the base and r = 8 make it") == 1
    assert "t000, t001 and 98 others: " in result.stdout


def test_headers_alone_are_checked_and_that_is_said(hundred):
    file = hundred / "t007" / WEIGHTS
    content = file.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little")
    file.write_bytes(content[:length])
    result = run(hundred, "--base", BASE)
    assert result.exit_code == 0
    assert "- t007: only the header of its file was read" in result.stdout
    file.write_bytes(content[: length + 9])
    assert run(hundred, "--base", BASE).exit_code == 1
    found, status = answer(hundred, "--headers-only")
    assert status == 0
    assert not any(one["are_weights_read"] for one in found["adapters"])


def test_what_a_wrapper_does_not_apply_is_said_by_version(tmp_path):
    """Names of the text-only class on Gemma 3's wrapper."""
    sizes = {}
    for layer in range(2):
        place = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        sizes[f"{place}.lora_A.weight"] = (4, 3840)
        sizes[f"{place}.lora_B.weight"] = (4096, 4)
    folder = made_adapters.write(tmp_path / "text", sizes)
    base = ("--base", "google/gemma-3-12b-it")
    old = run(folder, *base, "--vllm-version", "0.32.0")
    assert old.exit_code == 1
    assert "without a word, apply nothing" in old.stdout
    assert run(folder, *base, "--vllm-version", "0.33.0").exit_code == 0


def test_an_adapter_that_is_applied_in_part_says_how_much(tmp_path):
    shape = ModelShape.from_config(BASE)
    place = "base_model.model.lm_head"
    sizes = made_adapters.sizes(shape, ["q_proj", "v_proj"])
    extra = f"{place}.base_layer.weight"
    folder = made_adapters.write(
        tmp_path / "a", sizes | {extra: (shape.vocab_size, 128)}
    )
    result = run(folder, "--base", BASE)
    assert result.exit_code == 0
    assert "- a: " in result.stdout


def test_hostile_names_are_shown_as_they_are(tmp_path):
    for name in ("[bold]x", "a\x1b[31mb", "new\nline", b"\xff".decode(
        "utf-8", "surrogateescape"
    )):  # fmt: skip
        shutil.copytree(SQL, tmp_path / "all" / name)
    result = run(tmp_path / "all", "--base", BASE)
    assert result.exit_code == 0
    for said in ("[bold]x", "a\\x1b[31mb", "new\\nline", "\\udcff"):
        assert said in result.stdout
    assert "\x1b" not in result.stdout
    assert answer(tmp_path / "all")[1] == 0


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_text("x", "utf-8"), "which is a file"),
        (lambda path: path.mkdir(), "which holds no adapter"),
        (lambda path: path.symlink_to(path), "which is not there"),
        (lambda path: None, "which is not there"),
    ],
)
def test_what_is_no_adapter_is_refused_beside_a_good_one(
    make, sentence, tmp_path
):
    make(tmp_path / "it")
    result = run(tmp_path / "it", SQL, "--base", BASE)
    assert result.exit_code == 1
    assert sentence in result.stdout
    assert "1 of 2 can be served; 1 refused" in result.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--base", "who/knows"], "model is 'who/knows'"),
        (["--base", BASE, "--max-lora-rank", "24"], "max_lora_rank is 24"),
        (["--base", BASE, "--base-sha256", "x"], "base_sha256 is 'x'"),
        (["--base", BASE, "--vllm-version", "x"], "vllm_version is 'x'"),
    ],
)
def test_wrong_options_are_one_sentence_and_status_2(options, sentence):
    result = run(SQL, *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_command_as_a_program_has_no_bar_where_there_is_no_terminal():
    done = subprocess.run(
        [sys.executable, "-m", "multilora.cli", "check", SQL, "--base", BASE],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1 can be served" in done.stdout
