"""Mixtures and hybrids: the numbers are transformers 5.19's and vLLM 0.32.0's.

mixture_configs.json holds small configs with the parameters that
transformers' own class has, the bytes that vLLM's own LoRAModelManager
allocates for two slots of rank 8 (on one GPU; on the first of two: cut by
tensor parallelism, fully sharded too, by expert parallelism) and what each
layer keeps of a request: [kind, elements, window or bytes of an element].
"""

import json
from pathlib import Path

import pytest

from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ModelShape

CASES = json.loads(
    Path(__file__).with_name("mixture_configs.json").read_text("utf-8")
)
SPREADS = {
    "slot_bytes": {},
    "two_gpus": {"tensor_parallel_size": 2},
    "sharded": {"tensor_parallel_size": 2, "fully_sharded_loras": True},
    "expert_parallel": {
        "tensor_parallel_size": 2,
        "enable_expert_parallel": True,
    },
}
ALLOCATED = [
    (name, spread)
    for name, case in CASES.items()
    for spread in SPREADS
    if spread in case
]
DEEPSEEK = CASES["deepseek_v3"]["config"]


def shape_of(name, **changes):
    return ModelShape.from_config(CASES[name]["config"] | changes)


def kept(shape):
    """What each layer keeps, as mixture_configs.json has it."""
    found = [[] for _ in range(shape.num_layers)]
    for layers in shape.language_layers:
        for number in layers.numbers if layers.is_repeated else ():
            found[number] = sorted(
                [
                    cache.kind,
                    cache.num_elements,
                    cache.element_bytes or 2
                    if cache.kind == "state"
                    else cache.window,
                ]
                for cache in layers.caches
            )
    return found


@pytest.mark.parametrize("name", CASES)
def test_parameters_are_those_of_transformers(name):
    assert shape_of(name).num_params == CASES[name]["num_params"]


@pytest.mark.parametrize(("name", "spread"), ALLOCATED)
def test_slots_are_those_that_vllm_allocates(name, spread):
    reserved = slot_reservation_bytes(shape_of(name), 2, 8, **SPREADS[spread])
    assert reserved == CASES[name][spread]


@pytest.mark.parametrize("name", CASES)
def test_a_layer_keeps_what_vllm_plans_for_it(name):
    assert kept(shape_of(name)) == CASES[name]["caches"]


def test_a_null_is_a_value_where_the_class_says_so():
    """DeepSeek V2 Lite has no q_lora_rank; a file without it has 1,536."""
    config = {key: DEEPSEEK[key] for key in DEEPSEEK if key != "q_lora_rank"}
    silent = ModelShape.from_config(config)
    null = ModelShape.from_config(config | {"q_lora_rank": None})
    names = {linear.name for linear in null.linears}
    assert "q_proj" in names and "q_a_proj" not in names
    widths = {linear.name: linear.out_features for linear in silent.linears}
    assert widths["q_a_proj"] == 1536


def test_kimi_k2_has_the_defaults_of_deepseek_v3():
    """Without q_lora_rank both have that of DeepseekV3Config."""
    silent = "q_lora_rank", "first_k_dense_replace"
    config = {key: DEEPSEEK[key] for key in DEEPSEEK if key not in silent}
    kimi = ModelShape.from_config(config | {"model_type": "kimi_k2"})
    assert kimi.num_params == ModelShape.from_config(config).num_params


def test_a_convolution_has_slots_and_no_adapter_names_it():
    shape = shape_of("qwen3_next")
    kinds = {module.name: module.kind for _, module in shape.modules()}
    assert kinds["conv1d"] == "conv"
    assert "conv1d" not in {linear.name for linear in shape.linears}
    alone = slot_reservation_bytes(shape, 2, 8, target_modules=["conv1d"])
    assert alone == 4 * 2 * 2 * 8 * (4 + 192)


def test_a_filter_names_vllms_router():
    """transformers calls Granite's router so, vLLM calls it gate."""
    shape = shape_of("granitemoe")
    router = slot_reservation_bytes(shape, 2, 8, target_modules=["gate"])
    assert router == 4 * 2 * 2 * 8 * (128 + 8)
    with pytest.raises(ValueError, match="router"):
        slot_reservation_bytes(shape, 2, 8, target_modules=["router"])


def test_experts_in_mxfp4_have_longer_slots():
    """Marlin rounds 2,880 up to 3,072 and 2,944; vLLM's slots follow it."""
    config = {
        "model_type": "gpt_oss",
        "num_hidden_layers": 2,
        "num_local_experts": 32,
        "hidden_size": 2880,
        "quantization_config": {"quant_method": "mxfp4"},
    }
    shape = ModelShape.from_config(config)
    spread = {"tensor_parallel_size": 2}
    assert slot_reservation_bytes(shape, 2, 8) == 32_184_320
    assert slot_reservation_bytes(shape, 2, 8, **spread) == 23_238_656
    spread["enable_expert_parallel"] = True
    assert slot_reservation_bytes(shape, 2, 8, **spread) == 16_553_984


@pytest.mark.parametrize(
    ("config", "num_params"),
    [
        (
            {
                "model_type": "qwen3_next", "full_attention_interval": 4,
                "head_dim": 256, "hidden_size": 2048,
                "intermediate_size": 5120, "moe_intermediate_size": 512,
                "num_attention_heads": 16, "num_experts": 512,
                "num_hidden_layers": 48, "num_key_value_heads": 2,
                "vocab_size": 151936,
            },
            79_674_391_296,
        ),
        (
            {"model_type": "gpt_oss", "hidden_size": 2880,
             "num_hidden_layers": 24, "num_local_experts": 32},
            20_914_757_184,
        ),
        (
            {"model_type": "deepseek_v3", "hidden_size": 7168,
             "num_hidden_layers": 61},
            671_026_404_352,
        ),
    ],
)  # fmt: skip
def test_sparse_files_of_published_models(config, num_params):
    """Qwen3-Next 80B, GPT-OSS 20B, DeepSeek V3, by transformers' classes."""
    assert ModelShape.from_config(config).num_params == num_params


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("qwen3_next", {"layer_types": ["full_attention"]}, "layer_types"),
        ("lfm2_moe", {"layer_types": None}, "layer_types"),
        ("granitemoehybrid", {"layer_types": ["conv"] * 4}, "layer_types"),
        ("nemotron_h", {"hybrid_override_pattern": "MX"}, "hybrid_"),
        ("falcon_h1", {"mamba_n_heads": 7}, "mamba_n_heads"),
        ("llama4_text_c", {"no_rope_layers": [1]}, "no_rope_layers"),
        ("jamba", {"attn_layer_offset": 2}, "attn_layer_offset"),
    ],
)
def test_fields_that_do_not_fit_together_are_named(name, changes, words):
    with pytest.raises(ValueError, match=words):
        shape_of(name, **changes)


def test_more_groups_than_one_must_divide_the_gpus():
    """vLLM's MambaMixer2 repeats one group, and no other number."""
    shape = shape_of("nemotron_h")
    with pytest.raises(ValueError, match="2 groups"):
        slot_reservation_bytes(shape, 2, 8, tensor_parallel_size=4)
