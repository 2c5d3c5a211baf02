"""multilora plan, as somebody types it: answers, exits, and bad input."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from multilora.adapters.made import make_adapter
from multilora.cli.app import Exit, whole_app
from multilora.models.shipped import model_shape
from multilora.plan.answer import Plan
from repository import ROOT

BASE = ["--model", "Llama-3.1-8B", "--card", "80"]
SMALL = ["--tenants", "6", "--rate", "2", "--minutes", "2"]


def run(*words):
    return CliRunner().invoke(whole_app(), ["plan", *words])


def planned(*words):
    """The plan as JSON, and its exit status."""
    done = run(*words, "--json")
    return Plan.model_validate_json(done.stdout), done.exit_code


def log_of(path, rows, head="time,model,prompt_tokens,completion_tokens"):
    path.write_text("\n".join([head, *rows]) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def example():
    """What the README's first command does."""
    return run("--example")


def test_the_example_is_answered_with_a_line_and_reasons(example):
    """As the README says: no file, no option, an answer."""
    done = example
    assert done.exit_code == Exit.YES
    for said in (
        "1 engine: the promise is kept.",
        "vllm serve meta-llama/Llama-3.1-8B \\",
        "    --max-loras 40 \\",
        "Why: the same with one dial moved",
        "What would change the answer, the first thing first",
        "every tenant has a slot",
    ):
        assert said in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_the_readme_shows_what_the_example_prints(example):
    """Each line of its second block, but for those left out."""
    readme = (ROOT / "README.md").read_text("utf-8")
    block = readme.split("change the answer first:")[1].split("```")[1]
    printed = [line.strip() for line in example.stdout.splitlines()]
    lines = [line.strip() for line in block.splitlines()]
    for line in lines:
        assert line in (*printed, "...", ""), line


def test_a_script_reads_the_same_answer_as_json():
    plan, status = planned(*BASE, *SMALL)
    assert status == Exit.YES and plan.is_met
    assert plan.model == "meta-llama/Llama-3.1-8B"
    assert plan.card_gib == 79.1
    assert {t.name for t in plan.tenants} == {f"tenant-{k}" for k in range(6)}


def test_a_promise_that_cannot_be_kept_is_said_and_fails():
    done = run(*BASE, *SMALL, "--ttft-p99", "1", "--max-engines", "2")
    assert done.exit_code == Exit.NO
    assert "the promise is NOT kept" in done.stdout


def test_no_engine_starts_is_a_sentence_and_fails():
    done = run("--model", "Llama-3.1-70B", "--card", "24", *SMALL)
    assert done.exit_code == Exit.NO
    assert "does not start on 23.63 GiB" in done.stderr
    assert not done.stdout


def test_a_log_and_a_folder_of_adapters_go_together(tmp_path):
    """Ranks and folders by name; who is in one only is told."""
    for name, rank in (("shop", 8), ("bank", 64), ("idle", 16)):
        folder = tmp_path / "adapters" / name
        folder.parent.mkdir(exist_ok=True)
        make_adapter(folder, model_shape("Llama-3.2-1B"), rank, ["q_proj"])
    rows = [f"{k},{'shop' if k % 2 else 'bank'},50,20" for k in range(50)]
    rows += ["60,law,50,20"]
    log = log_of(tmp_path / "log.csv", rows)
    plan, _ = planned(log, *BASE, "--adapters", str(tmp_path / "adapters"),
                      "--time-unit", "s")  # fmt: skip
    ranks = {t.name: (t.rank, t.folder is not None) for t in plan.tenants}
    assert ranks == {"shop": (8, True), "bank": (64, True), "law": (16, False)}
    assert any("such as law" in note for note in plan.notes)
    assert any("such as idle" in note for note in plan.notes)


def test_its_files_are_written(tmp_path):
    done = run(*BASE, *SMALL, "--write", str(tmp_path / "answer"))
    assert done.exit_code == Exit.YES
    names = {path.name for path in (tmp_path / "answer").iterdir()}
    assert {
        "plan.json",
        "engine-1.sh",
        "compose.yml",
        "kubernetes.yml",
        "load-test-1.yml",
        "README.txt",
    } <= names
    plan = json.loads((tmp_path / "answer/plan.json").read_text())
    assert plan["format"] == "multilora plan"


def test_what_vllm_must_get_is_in_the_line():
    done = run(*BASE, *SMALL, "--kv-cache-dtype", "fp8", "--quantization",
               "fp8")  # fmt: skip
    assert "--quantization fp8 --kv-cache-dtype fp8" in done.stdout


def test_several_engines_say_which_this_is():
    done = run(
        "--model",
        "Llama-3.1-8B",
        "--card",
        "24",
        "--tenants",
        "40",
        "--rate",
        "6",
        "--minutes",
        "3",
        "--ttft-p99",
        "400",
    )
    assert "This is engine 1 of" in done.stdout


FLEET = ["--model", "Llama-3.1-8B", "--card", "80", "--tenants", "12",
         "--rate", "12", "--minutes", "1", "--ttft-p99", "300"]  # fmt: skip


def test_a_spare_is_printed_and_written(tmp_path):
    done = run(*FLEET, "--spare", "1", "--write", str(tmp_path / "answer"))
    assert done.exit_code == Exit.YES
    said = done.stdout
    assert "2 engines: the promise is kept while any one of them" in said
    assert "lost: p99" in said and "backups" in said
    assert "Take gateway.conf (placed-in-turn)." in said
    assert "--lora-modules" not in said
    lines = [line for line in said.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 78
    answer = tmp_path / "answer"
    fronts = {"gateway.conf", "router.sh", "llm-d.yml", "production-stack.yml"}
    assert fronts <= {path.name for path in answer.iterdir()}
    assert " backup;" in (answer / "gateway.conf").read_text()
    assert "Use gateway.conf" in (answer / "README.txt").read_text()
    plan = Plan.model_validate_json((answer / "plan.json").read_text())
    assert plan.spare == 1 and len(plan.losses) == 2 and plan.routers


def test_engines_are_as_many_as_asked_for():
    plan, status = planned(*FLEET, "--engines", "10")
    assert status == Exit.YES
    assert len(plan.engines) == 10 and not plan.losses
    said = run(*FLEET, "--engines", "10").stdout
    assert "and 2 more: --json has all" in said
    assert "engine 8" in said and "engine 9 " not in said


BAD = [
    ([*BASE, *SMALL, "--engines", "0"], "--engines is '0', but must be auto"),
    ([*BASE, *SMALL, "--engines", "x"], "--engines is 'x', but must be auto"),
    ([*BASE, *SMALL, "--engines", "9" * 5000], "but must be auto or a"),
    ([*BASE, *SMALL, "--engines", "800"], "--engines is 800, but must be"),
    ([*BASE, *SMALL, "--spare", "2"], "--spare is 2, but must be 0 or 1"),
    ([*BASE, *SMALL, "--spare", "1", "--engines", "1"], "nobody is served"),
    ([*BASE, *SMALL, "--spare", "1", "--max-engines", "1"],
     "--spare is 1 and --max-engines is 1"),
    ([], "--model and --card are needed"),
    (BASE, "there is no traffic"),
    ([*BASE, *SMALL, "--ranks", "16x5"], "--ranks is '16x5', 5 ranks"),
    ([*BASE, *SMALL, "--ranks", "wide"], "--ranks is 'wide', but must be"),
    ([*BASE, *SMALL, "--ranks", "1024"], "a slot of vLLM 0.32.0 holds"),
    ([*BASE, *SMALL, "--shape", "square"], "shape is 'square', allowed"),
    ([*BASE, *SMALL, "--rate", "0"], "rate is 0.0"),
    ([*BASE, *SMALL, "--rate", "nan"], "rate is nan"),
    ([*BASE, *SMALL, "--rate", "1e5", "--minutes", "9999"], "at most"),
    ([*BASE, *SMALL, "--share", "2"], "--share is 2.0"),
    ([*BASE, *SMALL, "--ttft-p99", "-1"], "--ttft-p99 is -1.0"),
    ([*BASE, *SMALL, "--slower", "0"], "--slower is 0"),
    ([*BASE, *SMALL, "--vllm-version", "9"], "vllm_version"),
    ([*BASE, *SMALL, "--max-engines", "0"], "--max-engines is 0"),
    ([*BASE, *SMALL, "--engines", "800"], "--engines is 800, but must be at"),
    ([*BASE, *SMALL, "--max-model-len", "64"], "max_model_len is 64"),
    ([*BASE, *SMALL, "--tensor-parallel-size", "3"], "tensor_parallel_size"),
    ([*BASE, *SMALL, "--cost-of", "GPT-4"], "--cost-of is 'GPT-4'"),
    ([*BASE, *SMALL, "--calibration", "no.json"], "no.json"),
    ([*BASE, *SMALL, "--calibration", "a", "--cost-of", "b"], "exclude"),
    ([*BASE, *SMALL, "--adapters", "nowhere"], "nowhere"),
    (["--model", "who/knows", "--card", "80", *SMALL], "who/knows"),
    (["--model", "Llama-3.1-8B", "--card", "B999", *SMALL], "card is 'B999'"),
    (["nowhere.csv", *BASE], "nowhere.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "said"), BAD, ids=range(len(BAD)))
def test_bad_input_is_one_sentence(words, said):
    done = run(*words)
    assert done.exit_code == Exit.BAD_INPUT, done.output
    assert said in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.startswith("multilora: ") and not done.stdout


HOSTILE = {
    "empty": b"",
    "only a head": b"time,model,prompt_tokens,completion_tokens\n",
    "html": b"<html><body>no log</body></html>\n" * 9,
    "binary": bytes(range(256)) * 40,
    "cut gzip": gzip.compress(b"time,model\n1,a\n" * 500)[:40],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_log_that_is_none_is_one_sentence(tmp_path, name):
    path = tmp_path / "log.csv"
    path.write_bytes(HOSTILE[name])
    done = run(str(path), *BASE)
    assert done.exit_code == Exit.BAD_INPUT, done.output
    assert "path is" in done.stderr and "Traceback" not in done.stderr


def test_one_tenant_and_equal_times_are_planned(tmp_path):
    rows = ["2026-01-01T00:00:00Z,a,10,5"] * 30
    plan, status = planned(log_of(tmp_path / "l.csv", rows), *BASE)
    assert status == Exit.YES
    assert plan.engines[0].setting.max_loras == 1
    assert plan.num_requests == 30


def test_milliseconds_read_as_seconds_are_noticed(tmp_path):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.exponential(300_000, 60)).astype(int)
    rows = [f"{t},a,10,5" for t in times]
    done = run(log_of(tmp_path / "l.csv", rows), *BASE)
    assert done.exit_code == Exit.BAD_INPUT
    assert "--time-unit" in done.stderr or "time_unit" in done.stderr


def test_tenants_without_tokens_get_those_of_the_options(tmp_path):
    rows = [f"2026-01-01T00:00:{k:02}Z,a" for k in range(40)]
    log = log_of(tmp_path / "l.csv", rows, "time,model")
    plan, _ = planned(log, *BASE, "--prompt-tokens", "70",
                      "--output-tokens", "7")  # fmt: skip
    assert plan.tenants[0].mean_prompt_tokens == 70
    assert plan.tenants[0].mean_output_tokens == 7


def test_the_command_itself_runs_and_is_quick_to_help():
    done = subprocess.run(
        [sys.executable, "-m", "multilora.cli", "plan", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Example: multilora plan" in " ".join(done.stdout.split())


def test_of_several_cards_the_best_is_taken():
    cards = ["--card", "24", "--card", "80"]
    words = [
        "--model",
        "Llama-3.1-8B",
        "--tenants",
        "20",
        "--rate",
        "4",
        "--minutes",
        "2",
        "--ranks",
        "64",
        "--ttft-p99",
        "400",
    ]
    done = run(*words, *cards)
    assert done.exit_code == Exit.YES
    assert "--card 24" in done.stdout and "--card 80" in done.stdout
    assert "1 engine: the promise is kept." in done.stdout
    found = json.loads(run(*words, *cards, "--json").stdout)["cards"]
    engines = [len(row["plan"]["engines"]) for row in found]
    assert engines[0] > engines[1] == 1


def test_ctrl_c_tells_the_best_so_far(monkeypatch):
    """The search is interrupted while it plays its sixth setting."""
    from multilora.plan import jobs

    played = []

    def play(*words):
        played.append(words)
        if len(played) > 5:
            raise KeyboardInterrupt
        return jobs_play(*words)

    jobs_play = jobs.play
    monkeypatch.setattr(jobs, "play", play)
    done = run(*BASE, *SMALL)
    assert done.exit_code == Exit.INTERRUPTED
    assert "interrupted: of 6 settings the best so far is" in done.stderr
