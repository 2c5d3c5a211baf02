"""The table of versions against the classes of the vLLM installed here."""

import pytest

from multilora.models.versions import (
    checked_versions,
    embeddings_of,
    has_feature,
    has_lora,
    packed_modules,
)

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]

NAMES = (
    "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM",
    "Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "MixtralForCausalLM",
    "Gemma2ForCausalLM", "Gemma3ForCausalLM", "Phi3ForCausalLM",
    "GptOssForCausalLM", "DeepseekV3ForCausalLM", "FalconForCausalLM",
    "BloomForCausalLM", "GPT2LMHeadModel",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_table_says_what_the_installed_class_says(name):
    vllm = pytest.importorskip("vllm")
    from vllm.model_executor.models.interfaces import supports_lora
    from vllm.model_executor.models.registry import ModelRegistry

    version = vllm.__version__.partition("+")[0]
    assert version in checked_versions()
    found = ModelRegistry.models[name].load_model_cls()
    assert has_lora(name, version) == bool(supports_lora(found))
    if not has_lora(name, version):
        return
    assert embeddings_of(name, version) == tuple(
        sorted(found.embedding_modules)
    )
    assert packed_modules(name, version) == {
        key: tuple(members)
        for key, members in found.packed_modules_mapping.items()
    }
    is_3d = has_feature(name, version, "experts_3d")
    assert is_3d == bool(found.is_3d_moe_weight)
