"""What slots reserve: by hand, by version, by target filter."""

import pytest

from multilora.memory.reservation import (
    reserved_modules,
    slot_reservation_bytes,
)
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_shape

TINY = ModelShape.from_config({
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 70,
})  # fmt: skip


def test_slots_of_the_tiny_engine():
    # Read from the running engine's tensors: h=256 and so on is not needed,
    # the sum is worked by hand for three layers of TINY.
    per_layer = 64 + 2 * 48 + 64 + 2 * 80 + 80
    per_rank = 3 * per_layer + 2 * (70 + 32)
    expected = 2 * 16 * per_rank * 2
    assert slot_reservation_bytes(TINY, 2, 16) == expected


def test_one_tenant_at_rank_64_quadruples_every_slot():
    shape = model_shape("Mistral-7B")
    sizes = [slot_reservation_bytes(shape, 8, r) for r in (16, 64)]
    assert sizes[1] == 4 * sizes[0]


def test_the_rule_differs_between_versions():
    mistral = model_shape("Mistral-7B")
    assert "lm_head" not in reserved_modules(mistral)
    assert "lm_head" in reserved_modules(mistral, vllm_version="0.8.5")
    assert "lm_head" in reserved_modules(model_shape("Llama-2-7B"))
    sizes = {
        version: slot_reservation_bytes(mistral, 4, 16, vllm_version=version)
        for version in ("0.8.5", "0.22.1", "0.32.0")
    }
    assert sizes["0.8.5"] > sizes["0.22.1"] == sizes["0.32.0"]


@pytest.mark.parametrize(
    ("filtered", "reserved"),
    [
        (["q_proj"], ("q_proj", "k_proj", "v_proj")),
        (["qkv_proj"], ("q_proj", "k_proj", "v_proj")),
        (["up_proj", "o_proj"], ("o_proj", "gate_proj", "up_proj")),
        (["lm_head"], ("lm_head",)),
    ],
)
def test_the_target_filter_works_by_packed_group(filtered, reserved):
    shape = model_shape("Llama-3.1-8B")
    assert reserved_modules(shape, filtered) == reserved
    total = sum(
        slot_reservation_bytes(shape, 2, 8, target_modules=[name])
        for name in ("q_proj", "o_proj", "gate_proj", "down_proj",
                     "embed_tokens", "lm_head")
    )  # fmt: skip
    assert total == slot_reservation_bytes(shape, 2, 8)


LLAMA = model_shape("Llama-2-7B")
BAD = [
    (slot_reservation_bytes, (LLAMA, 0, 16), ValueError,
     "max_loras is 0"),
    (slot_reservation_bytes, (LLAMA, 2, 24), ValueError,
     "max_lora_rank in vLLM 0.32.0 is 24, allowed: 1, 8, 16"),
    (slot_reservation_bytes, (LLAMA, 2, 16, "int8"), ValueError,
     "lora_dtype is 'int8', allowed: 'auto'"),
    (slot_reservation_bytes, (LLAMA, 2, 16, "auto", ["wq"]), ValueError,
     "target_modules is 'wq'"),
    (slot_reservation_bytes, (LLAMA, 2, 16, "auto", None, "0.1"),
     ValueError, "vllm_version is '0.1', but must be like '0.32.0'"),
    (slot_reservation_bytes, (LLAMA, 2, 16, "auto", ["q_proj"], "0.8.5"),
     ValueError, "has no --lora-target-modules"),
    (slot_reservation_bytes, (model_shape("internlm-7b"), 2, 16),
     ValueError, "InternLMForCausalLM vLLM 0.32.0 does not serve with LoRA; "
     "from 0.7.0 to 0.23.0 vLLM does"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "error", "named"), BAD)
def test_bad_input_is_named(function, arguments, error, named):
    with pytest.raises(error, match=named):
        function(*arguments)


def test_a_mixtures_slots_hold_every_expert_by_hand():
    shape, hidden, inner = model_shape("Mixtral-8x7B"), 4096, 14336
    attention = 4 * hidden + 2 * (hidden + 1024)
    experts = 8 * 3 * (hidden + inner)
    tables = 2 * (32000 + hidden)
    layers = 32 * (attention + experts + hidden + 8)
    assert slot_reservation_bytes(shape, 2, 16) == 2 * 16 * 2 * (
        layers + tables
    )
    named = slot_reservation_bytes(shape, 2, 16, "auto", ["v_proj", "experts"])
    qkv = 3 * hidden + hidden + 2 * 1024
    assert named == 2 * 16 * 2 * 32 * (qkv + experts)
