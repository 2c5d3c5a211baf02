"""vLLM's CPU tier and KV cache hold what the plan says."""

import pytest

from multilora import tenants
from multilora.adapters.check import check_adapter
from multilora.models.shapes import ModelShape
from multilora.plan import options as plan

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_vllms_cpu_tier_holds_the_bytes_that_we_say(dtype):
    """Own rank and modules in the engine's dtype, whatever max_lora_rank."""
    from multilora.engine.bare import BareLoRA

    bare = BareLoRA(
        tenants.folder_of("base"), 1, max_lora_rank=16, dtype=dtype,
        max_cpu_loras=4,
    )  # fmt: skip
    shape = ModelShape.from_config(tenants.folder_of("base"))
    for lora_id, name in enumerate(tenants.tenant_names(), 1):
        bare.add(tenants.folder_of(name), [lora_id])
        bare.step([lora_id])
        facts = check_adapter(tenants.folder_of(name), shape, 16)
        copy = bare.manager._registered_adapters.cache[lora_id]
        assert sum(map(_bytes, _tensors_of(copy))) == plan.cpu_tier_bytes(
            shape, 1, facts.rank, facts.target_modules, dtype
        )
    assert len(bare.cpu_tier) == 4


def _tensors_of(copy):
    for layer in copy.loras.values():
        for half in (layer.lora_a, layer.lora_b):
            yield from half if isinstance(half, list) else [half]


def _bytes(tensor):
    return tensor.numel() * tensor.element_size()


def test_the_cpu_tier_holds_what_a_filter_keeps_out_of_the_slots():
    """An engine with slots for q_proj and o_proj keeps all seven's bytes."""
    from multilora.engine.bare import BareLoRA

    base, folder = (tenants.folder_of(name) for name in ("base", "sql"))
    bare = BareLoRA(base, 1, 16, target_modules=["q_proj", "o_proj"])
    bare.add(folder, [1])
    bare.step([1])
    copy = bare.manager._registered_adapters.cache[1]
    shape = ModelShape.from_config(base)
    facts = check_adapter(folder, shape, 16)
    assert len(facts.target_modules) == 7
    assert sum(map(_bytes, _tensors_of(copy))) == plan.cpu_tier_bytes(
        shape, 1, facts.rank, facts.target_modules, "float32"
    )


@pytest.mark.parametrize("max_model_len", [1, 16, 17, 250, 256])
def test_vllm_starts_from_the_kv_tokens_that_we_say(max_model_len):
    """Its own check refuses one block less, so a card can be too full."""
    import torch
    from vllm.v1.core.kv_cache_utils import check_enough_kv_cache_memory
    from vllm.v1.kv_cache_interface import FullAttentionSpec

    from multilora.engine.bare import vllm_config

    config = vllm_config(
        tenants.folder_of("base"), max_loras=1, max_model_len=max_model_len
    )
    config.cache_config.kv_cache_layout = "LBNHC"  # a start's own choice
    layer = FullAttentionSpec(
        block_size=16, num_kv_heads=4, head_size=32, dtype=torch.float32
    )
    needed = plan.kv_tokens_to_start(max_model_len) // 16
    block = layer.page_size_bytes
    check_enough_kv_cache_memory(config, {"a": layer}, needed * block)
    with pytest.raises(ValueError, match=r"[Nn]o available|at least one requ"):
        check_enough_kv_cache_memory(
            config, {"a": layer}, (needed - 1) * block
        )
