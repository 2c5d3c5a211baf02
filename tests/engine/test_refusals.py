"""What a running engine refuses, and what it says."""

import pytest

from multilora import engine
from multilora.adapters.checkpoints import CheckpointError
from multilora.engine import memory
from multilora.tenants import folder_of
from voices import BASE, FRUITS

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


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
