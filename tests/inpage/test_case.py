"""A reader's case in the page gets what the library and the command say."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora.adapters.made import make_adapter
from multilora.adapters.preflight import preflight
from multilora.cache.hitrate import hit_rate_curve
from multilora.inpage import (
    case_base,
    case_check,
    case_engines,
    case_log,
    case_plan,
)
from multilora.inpage.case import own_case
from multilora.logs.read import example_log_path, read_log
from multilora.memory.cards import card_gib
from multilora.memory.ledger import memory_ledger
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_names, model_shape
from multilora.published import published
from multilora.tenants import folder_of, tenant_names
from repository import ROOT

HEAD = "time,model,prompt_tokens,completion_tokens"
LLAMA = {"model": "Llama-3.1-8B", "card": "80"}
BLOCKED = ("networkx", "yaml", "rich", "typer", "prometheus_client", "numba",
           "matplotlib", "multiprocessing", "ipywidgets", "threadpoolctl",
           "ssl", "concurrent.futures.process")  # fmt: skip


def answered(folder, **options):
    """The blocks of an answer, by title."""
    return {b["title"]: b for b in own_case(folder, **options)["blocks"]}


def rows_of(num=60, gap=0.7, names="abcde"):
    return [
        f"{1e9 + k * gap:.1f},{names[k * k % len(names)]},{50 + k},{9 + k % 7}"
        for k in range(num)
    ]


def put_log(folder, rows, head=HEAD, name="mine.csv"):
    path = folder / "log" / name
    path.parent.mkdir()
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def put_config(folder, config):
    path = folder / "config/config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(config))


def commands_plan(log, *words):
    """The plan that `multilora plan LOG … --json` prints."""
    pytest.importorskip("typer", reason="needs the command: make test")
    from typer.testing import CliRunner

    from multilora.cli.app import whole_app

    done = CliRunner().invoke(
        whole_app(), ["plan", str(log), *words, "--json"]
    )
    return json.loads(done.stdout)


def assert_is_plan(block, plan):
    """A block of the page and a plan of the command say the same."""
    found = block["numbers"]
    settings = [engine["setting"] for engine in plan["engines"]]
    assert found["is_met"] == plan["is_met"]
    for dial in ("max_loras", "max_lora_rank", "max_cpu_loras"):
        assert found[dial] == [setting[dial] for setting in settings]
    for name in ("p50_ms", "p99_ms", "share"):
        assert found[name] == plan["outcome"][name]
    tenants = [t for engine in plan["engines"] for t in engine["tenants"]]
    assert sorted(found["tenants"]) == sorted(
        [t["name"], t["p99_ms"]] for t in tenants
    )


def test_the_page_imports_nothing_that_a_browser_lacks():
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({BLOCKED!r}))\n"
        "import multilora.inpage.case"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", model_names())
def test_a_config_alone_gives_shape_and_ledger(name, tmp_path):
    (config,) = (m["config"] for m in published("models") if m["name"] == name)
    put_config(tmp_path, config)
    found = answered(tmp_path, card="H200", tensor_parallel_size=2)
    assert list(found) == [
        case_base.SHAPE, case_base.MEMORY, case_plan.TITLE,
    ]  # fmt: skip
    shape = model_shape(name)
    assert found[case_base.SHAPE]["numbers"]["num_params"] == shape.num_params
    assert "a log of requests" in found[case_plan.TITLE]["text"][0]
    if name == "internlm-7b":  # its heads cannot be cut in two
        with pytest.raises(ValueError) as refused:
            memory_ledger(shape, 140, 8, tensor_parallel_size=2)
        said = found[case_base.MEMORY]["text"][0]
        assert said.lower().rstrip(".") == str(refused.value).lower()
        return
    memory = found[case_base.MEMORY]["numbers"]
    for slots, num_bytes in memory["slot_bytes"].items():
        ledger = memory_ledger(
            shape, card_gib("H200")[0], int(slots), 16, tensor_parallel_size=2
        )
        assert num_bytes == ledger.slot_bytes
        assert memory["kv_tokens_low"][slots] == ledger.kv_tokens_low
        assert memory["weight_bytes"] == ledger.weight_bytes


def test_the_example_is_planned_as_the_notebook_plans_it(tmp_path):
    found = answered(tmp_path, **LLAMA, example=True)
    plan = found[case_plan.TITLE]
    text = (ROOT / "book/plan-here.md").read_text("utf-8")
    took = text.split("**Takeaway.**")[1].split("\n\n")[0]
    took = " ".join(took.replace(">", "").split())
    numbers = plan["numbers"]
    assert f"{numbers['max_loras'][0]} slots keeps the promise" in took
    assert f"p99 of {numbers['tenants'][0][1]:.0f} ms" in took
    flat = found[case_log.CURVE]["numbers"]["flat_from"]
    assert f"flat from {flat} slots" in took
    least = next(s for s in plan["text"] if "smallest that keeps" in s)
    assert least.split("max_loras=")[1].split()[0] in took
    assert "vllm serve meta-llama/Llama-3.1-8B" in plan["code"]
    assert found[case_log.TRAFFIC]["numbers"]["num_requests"] == 10_806


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Qwen3-8B", "Mixtral-8x7B"])
def test_a_log_is_planned_as_the_command_plans_it(name, tmp_path):
    log = put_log(tmp_path, rows_of())
    found = answered(tmp_path, model=name, card="141", ttft_p99_ms=80, rank=32)
    plan = commands_plan(
        log, "--model", name, "--card", "141", "--ttft-p99", "80",
        "--ranks", "32",
    )  # fmt: skip
    assert_is_plan(found[case_plan.TITLE], plan)


REQUESTS = st.lists(
    st.tuples(
        st.floats(0, 120), st.sampled_from("abcdefgh"),
        st.integers(1, 900), st.integers(1, 90),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(requests=REQUESTS, promise=st.sampled_from([5, 60, 1000]))
def test_any_log_gets_the_numbers_of_the_library(
    requests, promise, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("case")
    rows = [f"{1e9 + t:.3f},{n},{p},{o}" for t, n, p, o in requests]
    path = put_log(folder, rows)
    log = read_log(path)
    found = answered(folder, **LLAMA, ttft_p99_ms=promise)
    curve = hit_rate_curve(log.adapter_ids).tolist()
    assert found[case_log.CURVE]["numbers"]["hit_rates"] == curve
    plan = commands_plan(
        path, "--model", "Llama-3.1-8B", "--card", "80", "--ttft-p99",
        str(promise),
    )  # fmt: skip
    assert_is_plan(found[case_plan.TITLE], plan)


def test_a_long_log_is_planned_on_its_busiest_part_and_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(case_plan, "SEARCHED", 30)
    monkeypatch.setattr(case_plan, "PLAYED", 40)
    put_log(tmp_path, rows_of(60))
    block = answered(tmp_path, **LLAMA)[case_plan.TITLE]
    (said,) = (s for s in block["text"] if "In a shell" in s)
    assert "busiest 30 of 60" in said and "busiest 40 in a row" in said
    command = "multilora plan mine.csv --model Llama-3.1-8B --card 80"
    assert command in said


def test_adapters_give_their_rank_and_folder_to_tenants(tmp_path):
    shape = model_shape("Llama-3.2-1B")
    make_adapter(tmp_path / "adapters/a", shape, 8, ["q_proj"])
    make_adapter(tmp_path / "adapters/zz", shape, 64, ["q_proj"])
    log = put_log(tmp_path, rows_of())
    found = answered(tmp_path, model="Llama-3.2-1B", card="24")
    plan = commands_plan(
        log, "--model", "Llama-3.2-1B", "--card", "24",
        "--adapters", str(tmp_path / "adapters"),
    )  # fmt: skip
    assert_is_plan(found[case_plan.TITLE], plan)
    text = " ".join(found[case_plan.TITLE]["text"])
    assert "2 of 3 tenants of the traffic have no adapter's folder" in text
    assert "such as zz: no slot is planned" in text
    assert "--lora-modules" in found[case_plan.TITLE]["code"]
    assert "a=adapters/a" in found[case_plan.TITLE]["code"]
    assert "64" in found[case_base.MEMORY]["text"][0]


def test_adapters_are_checked_as_the_command_checks_them(tmp_path):
    base = folder_of("base")
    put_config(tmp_path, json.loads((base / "config.json").read_text()))
    (tmp_path / "adapters").mkdir()
    for name in tenant_names():
        (tmp_path / "adapters" / name).symlink_to(folder_of(name))
    broken = tmp_path / "adapters/broken"
    broken.mkdir()
    (broken / "adapter_config.json").write_text("{")
    block = answered(tmp_path)[case_check.TITLE]
    shape = ModelShape.from_config(base / "config.json")
    told = preflight([tmp_path / "adapters"], shape, headers_only=True)
    assert block["numbers"]["verdicts"] == {
        one.name: one.verdict for one in told.adapters
    }
    assert block["numbers"]["max_lora_rank"] == told.max_lora_rank
    assert block["table"]["rows"][0][0] == "broken"
    assert "is not JSON" in block["table"]["rows"][0][-1]


def test_adapters_alone_are_checked_for_what_can_be_read(tmp_path):
    make_adapter(tmp_path / "adapters/a", model_shape("Llama-3.2-1B"), 8)
    (tmp_path / "adapters/b").mkdir()
    (tmp_path / "adapters/b/adapter_model.bin").write_bytes(b"x")
    found = answered(tmp_path)
    assert list(found) == [case_check.TITLE, case_plan.TITLE]
    (refused, readable) = found[case_check.TITLE]["table"]["rows"]
    assert refused[0] == "b" and refused[4] == "refused"
    assert readable[:2] == ["a", "8"] and readable[4] == "readable"
    assert "1 of 2" in found[case_check.TITLE]["text"][0]


def test_a_log_alone_gives_traffic_and_curve(tmp_path):
    put_log(tmp_path, [*rows_of(), "x,a,1,1", "1e9,a,0,1"])
    found = answered(tmp_path)
    assert list(found) == [
        case_log.TRAFFIC, case_log.CURVE, case_plan.TITLE,
    ]  # fmt: skip
    traffic = found[case_log.TRAFFIC]
    assert traffic["numbers"]["num_skipped"] == 2
    assert any("0 prompt tokens (first" in s for s in traffic["text"])
    assert "a base" in found[case_plan.TITLE]["text"][0]


def test_columns_and_defaults_are_those_of_the_command(tmp_path):
    put_log(tmp_path, ["5,a,7", "6,b,"], head="when,who,in")
    found = answered(
        tmp_path, time_column="when", tenant_column="who",
        prompt_column="in", prompt_default=3, output_default=4,
    )  # fmt: skip
    said = found[case_log.TRAFFIC]["text"]
    assert "2 requests of 2 tenants in 0 minutes, 18 tokens" in said[0]
    command = own_case(
        tmp_path, time_column="when", tenant_column="who",
        prompt_column="in", prompt_default=3, output_default=4,
    )["command"]  # fmt: skip
    for words in ("--time-column when", "--tenant-column who",
                  "--prompt-column in", "--prompt-tokens 3",
                  "--output-tokens 4"):  # fmt: skip
        assert words in command


def test_the_example_log_is_used_where_there_is_no_other(tmp_path):
    found = answered(tmp_path, example=True)[case_log.TRAFFIC]
    num = read_log(example_log_path()).num_requests
    assert found["numbers"]["num_requests"] == num


@pytest.mark.parametrize(
    ("named", "served"),
    [("me/mine", "me/mine"), ("--help", "MODEL"), ("a\0b", "MODEL"),
     ("", "MODEL"), (5, "MODEL"), ("x" * 999, "MODEL"), (None, "MODEL")],
)  # fmt: skip
def test_the_line_has_the_name_of_the_config_or_a_place_for_one(
    named, served, tmp_path
):
    config = dict(model_shape("Llama-3.2-1B").config)
    put_config(tmp_path, {**config, "_name_or_path": named})
    put_log(tmp_path, rows_of(9))
    block = answered(tmp_path, card="24")[case_plan.TITLE]
    assert block["code"].startswith(f"vllm serve {served} ")
    has_note = any("in the place of MODEL" in said for said in block["text"])
    assert has_note == (served == "MODEL")


def test_of_several_engines_each_says_whom_it_serves(tmp_path):
    put_log(tmp_path, rows_of(400, 0.02, "abcdefgh"))
    block = answered(tmp_path, **LLAMA, ttft_p99_ms=60)[case_plan.TITLE]
    num = block["numbers"]["num_engines"]
    assert num > 1
    assert block["code"].startswith(f"# engine 1 of {num}\nvllm serve ")
    told = [said for said in block["text"] if said.startswith("Engine ")]
    assert len(told) == min(num, case_engines.MOST_ENGINES)
    for said, slots in zip(told, block["numbers"]["max_loras"], strict=False):
        assert f"has {slots} slots for" in said
