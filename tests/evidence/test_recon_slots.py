"""Slot bytes and padding against the tensors that vLLM allocates."""

import numpy as np
import pytest

from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ModelShape

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 320,
    "max_position_embeddings": 256, "tie_word_embeddings": False,
    "rms_norm_eps": 1e-5,
}  # fmt: skip


def kind(architecture, **changes):
    """LLAMA as another model, with some fields changed."""
    model_type = architecture.removesuffix("ForCausalLM").lower()
    names = {"architectures": [architecture], "model_type": model_type}
    return LLAMA | names | changes


TIED = {"tie_word_embeddings": True}
GROUPED = LLAMA | {"num_key_value_heads": 1}
MISTRAL = kind("MistralForCausalLM", num_key_value_heads=2)
QWEN = kind("Qwen2ForCausalLM", num_key_value_heads=2)
GEMMA = kind("Gemma2ForCausalLM", head_dim=32, tie_word_embeddings=True,
             hidden_activation="gelu_pytorch_tanh", hidden_act="gelu",
             query_pre_attn_scalar=32, sliding_window=128,
             attn_logit_softcapping=50.0,
             final_logit_softcapping=30.0)  # fmt: skip
MIXTRAL = kind("MixtralForCausalLM", num_key_value_heads=2,
               num_local_experts=4, num_experts_per_tok=2)  # fmt: skip
CASES = {
    "one slot, rank 1": (LLAMA, 1, 1, "float32", None),
    "plain": (LLAMA, 2, 16, "float32", None),
    "bfloat16": (LLAMA, 4, 64, "bfloat16", None),
    "float16, rank 512": (LLAMA, 3, 512, "float16", None),
    "many slots": (LLAMA, 64, 8, "bfloat16", None),
    "grouped queries": (GROUPED, 4, 16, "float32", None),
    "tied": (GROUPED | TIED, 4, 16, "bfloat16", None),
    "head_dim": (LLAMA | {"head_dim": 48}, 2, 32, "float32", None),
    "Mistral": (MISTRAL, 8, 16, "bfloat16", None),
    "Qwen2, biases": (QWEN, 8, 16, "bfloat16", None),
    "Qwen2, tied": (QWEN | TIED, 2, 8, "float32", None),
    "Gemma2": (GEMMA, 4, 16, "bfloat16", None),
    "only q named": (GROUPED, 4, 16, "float32", ["q_proj"]),
    "gate and o named": (LLAMA, 4, 16, "float32", ["gate_proj", "o_proj"]),
    "down named": (MISTRAL, 4, 16, "bfloat16", ["down_proj"]),
    "qkv_proj and lm_head": (LLAMA, 2, 8, "float32", ["qkv_proj", "lm_head"]),
    "Qwen2, all named": (QWEN, 2, 8, "float32",
                         ["q_proj", "embed_tokens", "lm_head"]),
    "Gemma2, table named": (GEMMA, 2, 8, "float32", ["embed_tokens"]),
    "experts": (MIXTRAL, 2, 16, "float32", None),
    "experts, bfloat16": (MIXTRAL, 5, 64, "bfloat16", None),
    "experts, v named": (MIXTRAL, 2, 16, "float32", ["v_proj"]),
    "only experts": (MIXTRAL, 2, 16, "float32", ["experts", "gate"]),
}  # fmt: skip


def test_slot_bytes_are_those_that_vllm_allocates(findings):
    from multilora.engine import memory
    from multilora.engine.bare import BareLoRA

    worst = 0
    for name, (config, slots, rank, dtype, targets) in CASES.items():
        bare = BareLoRA(config, slots, rank, None, dtype, targets)
        ours = slot_reservation_bytes(
            ModelShape.from_config(config), slots, rank, dtype, targets
        )
        theirs = memory.slot_bytes(bare)
        assert ours == theirs, f"{name}: {ours} and {theirs} bytes"
        worst = max(worst, abs(ours - theirs))
    findings.add(
        key="slot bytes",
        claim="what max_loras slots of max_lora_rank reserve, for dense "
        "models and mixtures of experts",
        ours="memory.reservation.slot_reservation_bytes",
        vllm="create_lora_weights",
        cases=len(CASES),
        difference=worst,
        unit="bytes",
    )


def test_a_small_adapter_fills_a_corner_of_its_slot(findings, tmp_path):
    """Rank 8 in a slot of 16: the rest is zero, also after a larger one."""
    from multilora.adapters.checkpoints import tensors
    from multilora.engine.bare import BareLoRA
    from multilora.engine.dummies import write_adapter
    from multilora.matmul.lora import pad_adapter

    shape = ModelShape.from_config(LLAMA)
    bare = BareLoRA(LLAMA, 1, 16)
    for number, rank in enumerate((16, 8), start=1):
        write_adapter(tmp_path / str(rank), shape, rank)
        bare.add(tmp_path / str(rank), [number])
        bare.step([number])
    file = tensors(tmp_path / "8/adapter_model.safetensors")
    cases = 0
    for layer in range(3):
        for name in ("self_attn.o_proj", "mlp.down_proj"):
            path = f"model.layers.{layer}.{name}"
            A, B = (
                file[f"base_model.model.{path}.lora_{matrix}.weight"].values()
                for matrix in "AB"
            )
            A, B = pad_adapter(A, B, 16)
            module = bare.manager.modules[path]
            slot = module.lora_a_stacked[0][0, 0].numpy()
            np.testing.assert_array_equal(slot, A)
            assert not slot[8:].any() and slot[:8].any()
            slot = module.lora_b_stacked[0][0, 0].numpy()
            np.testing.assert_array_equal(slot, B)
            cases += 1
    findings.add(
        key="padding",
        claim="a rank-8 adapter in a slot of rank 16: padded with zeros, "
        "nothing left of the larger one before it",
        ours="matmul.lora.pad_adapter",
        vllm="set_lora",
        cases=cases,
    )
