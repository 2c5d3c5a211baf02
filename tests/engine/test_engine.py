"""The running engine: what it answers, holds, loads, defers and refuses."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilora import engine, tenants
from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.checkpoints import CheckpointError, tensors
from multilora.adapters.diff import eval_diff
from multilora.adapters.merged import write_merged
from multilora.adapters.misfits import PAYLOAD_RAN, make_misfit
from multilora.cache.slots import AdapterSlotCache
from multilora.engine import capture, memory
from multilora.engine.trial import try_misfits
from multilora.evidence.capture import summary
from multilora.memory.economics import (
    kv_bytes_per_token,
    slot_reservation_bytes,
)
from multilora.serving.steps import Job, simulate
from multilora.tenants import corpus, folder_of
from multilora.tenants.accuracy import accuracy, tag_matrix

pytestmark = [
    pytest.mark.engine,
    # vLLM and torch warn on import of things that are not ours.
    pytest.mark.filterwarnings("ignore"),
]
BASE = folder_of("base")
FRUITS = "List 3 fruits:"
FAMOUS = "Table users(id,name). Query all names:"
VOICES = [None, *tenants.tenant_names()]


@pytest.fixture(scope="module", autouse=True)
def numba_stays_out():
    """No test of this process may import numba: see make test-peers."""
    assert "llvmlite" not in sys.modules


@pytest.fixture(scope="module")
def two():
    """An engine with two slots and three adapters."""
    running = engine.start(BASE, max_loras=2)
    for name in ("sql", "pirate", "json"):
        running.load(name, folder_of(name))
    return running


@pytest.fixture(scope="module")
def choir():
    """An engine with a slot for every tenant."""
    running = engine.start(BASE, max_loras=4)
    for name in tenants.tenant_names():
        running.load(name, folder_of(name))
    return running


@pytest.fixture(scope="module")
def held_out(choir):
    """The held-out questions, and every voice's replies in one batch."""
    questions = corpus.every_held_out()
    prompts = [item.prompt for item in questions]
    tags = [voice for voice in VOICES for _ in prompts]
    replies = choir.generate(prompts * len(VOICES), tags)
    return questions, {
        voice: [item for item in replies if item.adapter == voice]
        for voice in VOICES
    }


def test_the_famous_pair_comes_out_as_written(two):
    replies = two.generate([FRUITS, FAMOUS, FAMOUS], [None, "sql", None])
    said = [reply.text for reply in replies]
    assert said[:2] == ["apple, banana, orange", "SELECT name FROM users;"]
    assert "SELECT" not in said[2]


def test_vllms_own_call_serves_base_and_adapter_in_one_batch(two):
    from vllm import SamplingParams

    outputs = two.llm.generate(
        [FRUITS, FAMOUS],
        SamplingParams(temperature=0, max_tokens=48),
        lora_request=[None, two.request("sql")],
        use_tqdm=False,
    )
    assert [item.outputs[0].text for item in outputs] == [
        "apple, banana, orange",
        "SELECT name FROM users;",
    ]


def test_the_accuracies_are_those_of_the_record(held_out):
    questions, replies = held_out
    record = tenants.record()
    for voice, said in replies.items():
        name = voice or "base"
        kind = "tenants" if voice else "bases"
        for number, which in enumerate(corpus.SETS):
            part = slice(120 * number, 120 * (number + 1))
            share = accuracy(
                questions[part], name, [item.text for item in said[part]]
            )
            wanted = record[kind][name]["accuracies"][which]
            # Another CPU may round one reply in 120 to another token.
            assert share == pytest.approx(wanted, abs=0.01)


def test_no_reply_is_in_another_style(held_out):
    questions, replies = held_out
    texts = {
        voice or "base": [item.text for item in said]
        for voice, said in replies.items()
    }
    for tag, row in tag_matrix(questions, texts).items():
        assert row.pop(tag) > 0.9
        assert set(row.values()) == {0.0}


def test_company_does_not_change_a_reply(choir, held_out):
    questions, replies = held_out
    for voice in VOICES:
        alone = [choir.generate([q.prompt], [voice])[0] for q in questions[:4]]
        diff = eval_diff(alone, replies[voice][:4])
        assert diff.num_equal == 4
        assert diff.max_logprob_difference < 1e-4


def test_base_rows_of_a_mixed_batch_are_an_engines_without_lora(choir):
    prompts = [item.prompt for item in corpus.held_out("unseen words", 20)]
    with engine.start(BASE, max_loras=None) as bare:
        wanted = bare.generate(prompts)
    tags = [None] * 20 + ["sql", "json"] * 10
    mixed = choir.generate(prompts * 2, tags)[:20]
    diff = eval_diff(wanted, mixed)
    assert diff.num_equal == 20
    assert diff.max_logprob_difference < 1e-4


def test_the_defect_of_the_cpu_build_is_still_there():
    """If this fails, upstream has mended it: then drop the guard."""
    with engine.start(BASE, max_loras=1, guard_base_rows=False) as plain:
        plain.load("sql", folder_of("sql"))
        base, sql = plain.generate([FAMOUS] * 2, [None, "sql"])
        (alone,) = plain.generate([FAMOUS])
    assert base.text == sql.text == "SELECT name FROM users;"
    assert alone.text == "all names in users"


def test_the_spare_slot_stays_empty_whatever_comes(two):
    rng = np.random.default_rng(0)
    for _ in range(20):
        tags = rng.choice(["sql", "pirate", "json"], 3).tolist()
        two.generate([FRUITS] * 4, [*tags, None], max_tokens=1)
        assert two.slots()[2] is None
    assert all(float(t[-1].abs().max()) == 0 for t in memory.slot_tensors(two))


def test_the_ledger_is_lab_03s_arithmetic(two, choir):
    for running, slots in ((two, 3), (choir, 5)):
        shape, blocks = running.shape, memory.kv_blocks(running)
        assert memory.weight_bytes(running) == 4 * shape.num_params
        assert memory.slot_bytes(running) == slot_reservation_bytes(
            shape, slots, 16, bytes_per_param=4
        )
        per_token = kv_bytes_per_token(shape, 4)
        assert blocks.block_bytes == per_token * blocks.block_tokens
        assert blocks.num_total * blocks.block_bytes == 16 * 2**20
        assert blocks.num_free == blocks.num_total - 1


def test_a_slot_holds_the_adapters_weights_scaled_and_padded(two):
    two.generate([FRUITS], ["pirate"], max_tokens=1)  # rank 4 in a slot of 16
    slot = {name: key for key, name in two.slots().items()}["pirate"]
    module = two.manager.modules["model.layers.1.mlp.down_proj"]
    A = module.lora_a_stacked[0][slot, 0].numpy()
    B = module.lora_b_stacked[0][slot, 0].numpy()
    file = tensors(folder_of("pirate") / "adapter_model.safetensors")
    key = "base_model.model.model.layers.1.mlp.down_proj.lora_{}.weight"
    np.testing.assert_array_equal(A[:4], file[key.format("A")].values())
    np.testing.assert_allclose(B[:, :4], 2 * file[key.format("B")].values())
    assert not A[4:].any() and not B[:, 4:].any()


@settings(max_examples=15)
@given(
    st.lists(st.sampled_from([None, "sql", "pirate", "json"]), min_size=1,
             max_size=8),
    st.integers(1, 6),
)  # fmt: skip
def test_the_scheduler_does_as_ours(two, tags, max_tokens):
    ids = {None: -1, "sql": 1, "pirate": 2, "json": 3}
    replies, steps = two.watch([FRUITS] * len(tags), tags, max_tokens)
    jobs = [
        Job(str(number), ids[tag], 0, len(reply.token_ids))
        for number, (tag, reply) in enumerate(zip(tags, replies, strict=True))
    ]
    model = simulate(jobs, max_loras=2, max_num_seqs=256)
    assert len(model) == len(steps)
    for ours, theirs in zip(model, steps, strict=True):
        assert sorted(ours.running) == sorted(str(n) for n, _ in theirs.ran)
        assert ours.deferred == [str(n) for n, _ in theirs.waited]


def test_one_adapter_a_step_is_our_slot_cache(two):
    rng = np.random.default_rng(1)
    for name in ("sql", "pirate", "json"):
        two.forget(name)
    cache, ids = AdapterSlotCache(2), {"sql": 1, "pirate": 2, "json": 3}
    for name in rng.choice(list(ids), 60).tolist():
        num_loads = len(two.loads)
        two.generate([FRUITS], [name], max_tokens=1)
        misses = cache.misses
        slot = cache.activate(ids[name])
        assert two.slots()[slot] == name
        new = [load.kind for load in two.loads[num_loads:]]
        missed = cache.misses > misses
        assert new.count("slot") == missed
        # The CPU tier is as small as the slots: a miss reads the disk.
        assert new.count("disk") == missed


def test_a_larger_cpu_tier_spares_the_disk():
    with engine.start(BASE, max_loras=1, max_cpu_loras=3) as small:
        for name in ("sql", "pirate", "json"):
            small.load(name, folder_of(name))
        small.loads.clear()
        for name in ("sql", "pirate", "json") * 2:
            small.generate([FRUITS], [name], max_tokens=1)
        assert [load.kind for load in small.loads] == ["slot"] * 6
        assert set(small.cpu_tier()) == {"sql", "pirate", "json"}
        small.vacate("json")
        small.generate([FRUITS], ["json"], max_tokens=1)
        assert small.loads[-1].kind == "slot" and len(small.loads) == 7


@pytest.mark.parametrize("name", tenants.tenant_names())
def test_merged_and_consolidated_agree(name, held_out, tmp_path):
    questions, replies = held_out
    model = write_merged(BASE, folder_of(name), tmp_path / name)
    with engine.start(model, max_loras=None) as dedicated:
        said = dedicated.generate([item.prompt for item in questions])
    diff = eval_diff(said, replies[name])
    assert diff.num_equal == diff.num_prompts == 360
    assert diff.max_logprob_difference < 1e-3


def test_our_merge_is_pefts(tmp_path):
    import torch
    from peft import PeftModel

    from multilora.tenants.train import load_base

    folder = write_merged(BASE, folder_of("json"), tmp_path / "json")
    ours = tensors(folder / "model.safetensors")
    model = PeftModel.from_pretrained(load_base(BASE), folder_of("json"))
    with torch.no_grad():
        theirs = model.merge_and_unload().state_dict()
    for name, tensor in ours.items():
        np.testing.assert_allclose(
            tensor.values(), theirs[name].numpy(), atol=1e-6
        )


def test_a_wrong_base_loads_in_silence_and_is_wrong():
    prompts = [item.prompt for item in corpus.held_out("unseen words", 40)]
    questions = corpus.held_out("unseen words", 40)
    with engine.start(folder_of("base-reseeded"), max_loras=1) as other:
        other.load("sql", folder_of("sql"))
        said = other.generate(prompts, ["sql"] * 40)
        assert accuracy(questions, "sql", [item.text for item in said]) == 0
        with pytest.raises(AdapterError, match="was trained on base 2c36e"):
            other.load("again", folder_of("sql"), check_base=True)
        assert list(other.adapters) == ["sql"]


def test_misfits_are_met_as_the_lab_says(tmp_path):
    with engine.start(BASE, max_loras=2) as victim:
        trials = try_misfits(victim, folder_of("sql"), tmp_path)
        served = {item.kind for item in trials if item.vllm == "loads"}
        left = {item.kind for item in trials if item.vllm == "half-loads"}
        assert served == {
            "made for a smaller base", "made for a deeper base", "NaN weights",
        }  # fmt: skip
        assert left == {
            "made for a larger base", "r = 8 on paper, 32 in the file",
        }  # fmt: skip
        assert all(item.check_says for item in trials)
        assert not list(tmp_path.rglob(PAYLOAD_RAN))
        # Asked for again, a half-loaded adapter is accepted.
        from vllm.lora.request import LoRARequest

        bad = make_misfit("made for a larger base", folder_of("sql"),
                          tmp_path / "again")  # fmt: skip
        request = LoRARequest("bad", 77, str(bad))
        core = victim.llm.llm_engine
        with pytest.raises(RuntimeError):
            core.add_lora(request)
        assert core.add_lora(request)
        core.remove_lora(77)
        # Unchecked through our helper, nothing is left behind.
        with pytest.raises(AdapterError, match="vLLM refuses bad"):
            victim.load("bad", bad, check=False)
        assert not victim.adapters and not core.list_loras()
        victim.load("sql", folder_of("sql"))
        (reply,) = victim.generate([FAMOUS], ["sql"])
        assert reply.text == "SELECT name FROM users;"


def test_a_bad_request_leaves_nothing_behind(two):
    for prompts, tags, sentence in (
        ([], None, "prompts is"),
        ([""], None, "none that is empty"),
        (FRUITS, None, "prompts is 'List 3 fruits:'"),
        ([FRUITS], ["nobody"], "must be a loaded one: sql, pirate, json"),
        ([FRUITS], [7], "adapters holds 7"),
        ([FRUITS], [None, None], "adapters has 2 entries"),
        ([FRUITS], "sql", "adapters is 'sql'"),
        ([FRUITS], 3, "adapters is 3"),
        ([FRUITS, "x" * 999], None, "maximum context length"),
    ):
        with pytest.raises((ValueError, TypeError), match=sentence):
            two.generate(prompts, tags)
        assert not two.llm.llm_engine.has_unfinished_requests()
    with pytest.raises(ValueError, match="max_tokens is 0"):
        two.generate([FRUITS], max_tokens=0)
    for name in ("sql", "base", ""):
        with pytest.raises(ValueError, match="but must be new"):
            two.load(name, folder_of("json"))
    with pytest.raises(ValueError, match="must be a loaded one"):
        two.unload("nobody")
    assert two.generate([FRUITS])[0].text == "apple, banana, orange"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"max_loras": 0}, ValueError, "max_loras is 0"),
        ({"max_loras": 1.5}, TypeError, "max_loras is 1.5"),
        ({"max_lora_rank": 24}, ValueError, "max_lora_rank is 24, allowed"),
        ({"max_cpu_loras": 1}, ValueError, "max_cpu_loras is 1"),
        ({"dtype": "int8"}, ValueError, "dtype is 'int8', allowed"),
        ({"kv_cache_bytes": 5}, ValueError, "kv_cache_bytes is 5"),
        ({"max_num_seqs": -1}, ValueError, "max_num_seqs is -1"),
        ({"max_model_len": 1}, ValueError, "max_model_len is 1"),
        ({"max_loras": 10**6}, ValueError, "max_loras is 1000000"),
        ({"guard_base_rows": None}, ValueError, "guard_base_rows is None"),
        ({"enable_lora": False}, TypeError, "enable_lora cannot be given"),
        ({"max_loras": None, "max_lora_rank": -5}, ValueError, "rank is -5"),
        ({"max_loras": None, "max_cpu_loras": 3}, ValueError, "is given"),
    ],
)
def test_wrong_settings_are_named_before_anything_starts(
    options, error, sentence
):
    with pytest.raises(error, match=sentence):
        engine.start(BASE, **options)


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="no such folder"):
        engine.start(tmp_path / "absent")
    with pytest.raises(CheckpointError, match=r"no .*safetensors in it"):
        engine.start(tmp_path)
    with pytest.raises(TypeError, match="model is None"):
        engine.start(None)
    with pytest.raises(CheckpointError, match="model is ''"):
        engine.start("")
    with pytest.raises(ValueError, match=r"config\.json"):
        engine.start(folder_of("sql"))


def test_two_threads_take_turns(two):
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(two.generate, [FRUITS] * 2, [tag, None])
            for tag in ("sql", "pirate", "sql", "pirate")
        ]
        said = [job.result()[0].text for job in jobs]
    assert said[0] == said[2] == "SELECT * FROM fruits LIMIT 3;"
    assert said[1] == said[3] == "arr! apple, banana, orange, matey!"


def test_too_little_memory_says_what_to_turn():
    with pytest.raises(MemoryError, match="lower max_loras, max_lora_rank"):
        engine.start(BASE, kv_cache_bytes=2**50)


def test_an_engine_without_lora_says_so():
    with engine.start(BASE, max_loras=None) as bare:
        with pytest.raises(ValueError, match="this engine has no slots"):
            bare.load("sql", folder_of("sql"))
        with pytest.raises(ValueError, match="none yet"):
            bare.generate([FRUITS], ["sql"])


def test_a_stopped_engine_says_so_and_hurts_no_other(two):
    first = engine.start(BASE, max_loras=1)
    first.load("sql", folder_of("sql"))
    for _ in range(2):
        first.stop()
    for attempt in (
        lambda: first.generate([FRUITS]),
        lambda: first.load("json", folder_of("json")),
        lambda: first.unload("sql"),
        first.slots,
        lambda: memory.kv_blocks(first),
    ):
        with pytest.raises(ValueError, match="this engine was stopped"):
            attempt()
    assert first.loads[0].adapter == "sql"
    assert two.generate([FRUITS])[0].text == "apple, banana, orange"


def test_unloading_frees_slot_and_name(two):
    two.unload("json")
    assert "json" not in two.adapters
    assert "json" not in two.slots().values()
    two.load("json", folder_of("json"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bits_serve_as_well(dtype):
    questions = corpus.held_out("unseen combinations", 60)
    prompts = [item.prompt for item in questions]
    with engine.start(BASE, max_loras=1, dtype=dtype) as half:
        half.load("sql", folder_of("sql"))
        said = half.generate(prompts, ["sql"] * len(prompts))
    texts = [reply.text for reply in said]
    assert accuracy(questions, "sql", texts) >= 0.93


def test_the_capture_script_runs_at_tiny_size(tmp_path):
    path = tmp_path / "capture.json"
    capture.main(path)
    import json

    found = json.loads(path.read_text())
    (run,) = found["runs"]
    assert [row["num_adapters"] for row in run["sweep"]] == [1, 2, 4]
    assert run["memory"]["slot_bytes"] > 0
    assert all(value > 0 for row in run["sweep"] for value in row.values())
    assert "small base, max_loras=4" in summary(found)
    with pytest.raises(SystemExit, match="no CUDA here: name a file"):
        capture.main()


def test_a_captured_line_is_in_no_source_of_vllm():
    import vllm

    root = Path(vllm.__file__).parent
    said = [
        path
        for path in root.rglob("*.py")
        if any(
            phrase in path.read_text("utf-8", errors="replace")
            for phrase in ("Model weights take", "LoRA adapter loaded:")
        )
    ]
    assert not said


def test_check_adapter_and_vllm_agree_on_the_good_ones(choir):
    for name in tenants.tenant_names():
        facts = check_adapter(folder_of(name), choir.shape, 16)
        lora_id = choir.request(name).lora_int_id
        assert choir.manager.get_adapter(lora_id).rank == facts.rank


def test_vllm_exports_every_metric_that_a_page_tells_to_watch():
    """A renamed metric would send an operator to an empty dashboard."""
    import vllm

    root = Path(__file__).parents[2]
    pages = [*root.glob("notebooks/*.ipynb"), *root.glob("book/*.md")]
    text = " ".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(r"`(vllm:\w+)`", text))
    metrics = Path(vllm.__file__).parent / "v1/metrics"
    source = " ".join(file.read_text("utf-8") for file in metrics.glob("*.py"))
    assert len(named) >= 5
    assert not {name for name in named if f'"{name}"' not in source}


def test_both_labels_of_lora_requests_info_hold_all_that_run_or_wait():
    """Lab 04 says so: their names are counted as active, not as running."""
    from vllm.v1.metrics.stats import LoRARequestStates, SchedulerStats

    states, stats = LoRARequestStates(log_stats=True), SchedulerStats()
    states.request_running("1", "a")
    for request_id, name in (("2", "b"), ("3", "c")):
        states.request_waiting(request_id, name)
    states.update_scheduler_stats(stats)
    assert set(stats.running_lora_adapters) == {"a", "b", "c"}
    assert set(stats.waiting_lora_adapters) == {"a", "b", "c"}
