"""Files that PEFT 0.21 writes: their bytes, and whether vLLM applies them."""

import json

import pytest

from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.file import (
    Layout,
    adapter_file_bytes,
    explain_file_bytes,
)
from multilora.models.shapes import ModelShape
from peft_adapters import save
from small_bases import BASES
from vllm_loader import load

pytestmark = pytest.mark.engine

SOME = ["q_proj", "o_proj"]
BOTH = ["q_proj", "embed_tokens", "lm_head"]
FUSED = Layout(fused_experts=True)
TWICE = Layout(fused_experts=True, rank_pattern={"gate_up_proj": 8})
TOWERS = Layout(with_towers=True)
EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
# base, LoraConfig's options, our targets and options, whether vLLM serves.
FILES = [
    ("llama", {"target_modules": SOME}, SOME, {}, True),
    ("llama", {"target_modules": "all-linear"}, "all-linear", {}, True),
    ("llama", {"target_modules": BOTH}, BOTH,
     {"saved_in_full": ["embed_tokens", "lm_head"], "full_dtype": "F32"},
     True),
    ("qwen2", {"target_modules": BOTH}, BOTH,
     {"saved_in_full": ["embed_tokens", "lm_head"], "full_dtype": "F32"},
     False),
    ("llama", {"target_modules": SOME, "use_rslora": True}, SOME, {}, True),
    ("llama", {"target_modules": SOME, "rank_pattern": {"q_proj": 2},
               "alpha_pattern": {"layers.1.self_attn.o_proj": 3}}, SOME,
     {"layout": Layout(rank_pattern={"q_proj": 2})}, True),
    ("llama", {"target_modules": SOME, "exclude_modules": ["o_proj"]},
     ["q_proj"], {}, True),
    ("llama", {"target_modules": r".*\.(q|o)_proj"}, SOME, {}, True),
    ("llama", {"target_modules": SOME, "use_dora": True}, SOME, ..., False),
    ("qwen3_moe", {"target_modules": SOME}, SOME, {}, True),
    ("qwen3_moe", {"target_modules": [], "target_parameters": EXPERTS},
     ["gate_proj", "up_proj", "down_proj"], {"layout": FUSED}, False),
    ("qwen3_moe", {"target_modules": ["gate_proj", "up_proj", "down_proj"]},
     ["gate_proj", "up_proj", "down_proj"], {"layout": TWICE}, False),
    ("gpt_oss", {"target_modules": SOME, "target_parameters": EXPERTS},
     [*SOME, "gate_up_proj", "down_proj"], {}, True),
    ("gemma3", {"target_modules": SOME}, SOME, {"layout": TOWERS}, True),
    ("qwen2_5_vl", {"target_modules": SOME}, SOME, {}, True),
    ("llava", {"target_modules": SOME}, SOME, {"layout": TOWERS}, True),
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, vLLM's answer) of every file of FILES."""
    root = tmp_path_factory.mktemp("peft")
    folders = [
        save(BASES[base], root / str(number), **options)
        for number, (base, options, *_) in enumerate(FILES)
    ]
    cases = [
        {"config": BASES[base], "folders": [folder]}
        for (base, *_), folder in zip(FILES, folders, strict=True)
    ]
    answers = [answer for [answer] in load(cases)]
    return list(zip(folders, answers, strict=True))


@pytest.mark.parametrize("number", range(len(FILES)))
def test_the_verdict_is_vllms(number, made):
    base, *_, is_served = FILES[number]
    folder, theirs = made[number]
    assert (theirs["error"] is None) == is_served, theirs["error"]
    shape = ModelShape.from_config(BASES[base])
    if not is_served:
        with pytest.raises(AdapterError):
            check_adapter(folder, shape, 64)
        return
    facts = check_adapter(folder, shape, 64)
    applied = theirs["modules"].values()
    assert facts.share_applied == sum(applied) / len(applied)
    assert not facts.misspelt


@pytest.mark.parametrize("number", range(len(FILES)))
def test_the_bytes_are_those_of_the_file(number, made):
    base, _, targets, options, _ = FILES[number]
    if options is ...:
        return
    shape = ModelShape.from_config(BASES[base])
    folder, _ = made[number]
    size = (folder / "adapter_model.safetensors").stat().st_size
    assert adapter_file_bytes(shape, 4, targets, **options) == size
    rank = json.loads((folder / "adapter_config.json").read_text())["r"]
    if not options.get("layout", Layout()).rank_pattern.get("q_proj"):
        assert explain_file_bytes(size, shape, rank, targets)
