"""Models that see: the counts are those of transformers 5.19 and vLLM 0.32.0.

wrapper_configs.json holds small configs with what transformers' own class
counts and what vLLM's own classes allocate for them, on one GPU and on the
first of two.
"""

import json
from pathlib import Path

import pytest

from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ModelShape

CASES = json.loads(
    Path(__file__).with_name("wrapper_configs.json").read_text("utf-8")
)
SLOTS = [name for name, case in CASES.items() if "slot_bytes" in case]
WEIGHTS = [name for name, case in CASES.items() if "weight_bytes" in case]

# Two published models whose vision_config leaves most fields out.
QWEN_2_5_VL_7B = {
    "model_type": "qwen2_5_vl",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "tie_word_embeddings": False,
    "vocab_size": 152064,
    "vision_config": {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
    },
}
DEVSTRAL_SMALL_2 = {
    "model_type": "mistral3",
    "tie_word_embeddings": False,
    "text_config": {
        "model_type": "ministral3",
        "head_dim": 128,
        "hidden_size": 5120,
        "intermediate_size": 32768,
        "num_attention_heads": 32,
        "num_hidden_layers": 40,
        "num_key_value_heads": 8,
        "vocab_size": 131072,
    },
    "vision_config": {"model_type": "pixtral", "hidden_size": 1024},
}


def shape_of(name, **changes):
    return ModelShape.from_config(CASES[name]["config"] | changes)


def paths(shape):
    return {path for path, _ in shape.modules()}


@pytest.mark.parametrize("name", CASES)
def test_parameters_are_those_of_transformers(name):
    assert shape_of(name).num_params == CASES[name]["num_params"]


@pytest.mark.parametrize("name", SLOTS)
def test_slots_are_those_that_vllm_allocates(name):
    case, shape = CASES[name], shape_of(name)
    assert slot_reservation_bytes(shape, 2, 8) == case["slot_bytes"]
    sharded = slot_reservation_bytes(
        shape, 2, 8, tensor_parallel_size=2, fully_sharded_loras=True
    )
    assert sharded == case["sharded_slot_bytes"]


@pytest.mark.parametrize("name", WEIGHTS)
def test_vllm_holds_what_is_not_unused_and_the_copies(name):
    held = sum(
        len(layers.numbers) * module.num_params
        for layers in shape_of(name).layers
        for module in layers.modules
        if not module.is_unused
    )
    assert 2 * held == CASES[name]["weight_bytes"]


@pytest.mark.parametrize(
    ("config", "num_params"),
    [(QWEN_2_5_VL_7B, 8292166656), (DEVSTRAL_SMALL_2, 24011545600)],
)
def test_a_sparse_config_has_the_defaults_of_transformers(config, num_params):
    assert ModelShape.from_config(config).num_params == num_params


def test_a_tower_has_no_slots():
    shape = shape_of("gemma3")
    text = CASES["gemma3"]["config"]["text_config"]
    alone = ModelShape.from_config(
        text | {"model_type": "gemma3_text", "tie_word_embeddings": True}
    )
    assert shape.num_params > alone.num_params
    assert slot_reservation_bytes(shape, 1, 8) == slot_reservation_bytes(
        alone, 1, 8
    )


def test_a_wrapper_has_its_own_names_for_the_language_model():
    gemma, llama = paths(shape_of("gemma3")), paths(shape_of("llama4"))
    assert "model.language_model.layers.0.self_attn.q_proj" in gemma
    assert "language_model.model.layers.0.self_attn.q_proj" in llama
    assert "language_model.lm_head" in llama
    assert "model.text_model.layers.0.mlp.up_proj" in paths(
        shape_of("idefics3")
    )


def test_the_wrapper_says_whether_embeddings_are_tied():
    assert shape_of("gemma3 head nested untied").tied
    assert not shape_of("gemma3 untied").tied
    nested = CASES["llava_next"]["config"]["text_config"]
    nested = nested | {"tie_word_embeddings": True}
    assert not shape_of("llava_next", text_config=nested).tied


@pytest.mark.parametrize("name", ["qwen2_vl nested tie", "llava nested tie"])
def test_older_files_of_some_wrappers_tie_them_in_the_text(name):
    assert shape_of(name).tied


def test_layers_that_share_keys_and_values_keep_none():
    shape = shape_of("gemma4 e2b")
    layers = {
        number: item
        for item in shape.language_layers
        for number in item.numbers
        if item.is_repeated
    }
    assert all(layers[number].caches for number in range(4))
    assert not layers[4].caches and not layers[5].caches
    names = {module.name for module in layers[5].modules}
    assert "q_proj" in names and not names & {"k_proj", "v_proj", "k_norm"}


def test_full_attention_has_heads_of_its_own_in_gemma4():
    kinds = {
        (cache.kind, cache.heads, cache.width, cache.window)
        for layers in shape_of("gemma4 31b").language_layers
        for cache in layers.caches
    }
    assert kinds == {("sliding", 2, 16, 64), ("full", 1, 32, 0)}


def test_values_that_are_keys_have_slots_and_no_weights_of_their_own():
    shape = shape_of("gemma4 31b")
    assert "model.language_model.layers.1.self_attn.v_proj" not in paths(shape)
    assert "model.language_model.layers.0.self_attn.v_proj" in paths(shape)


@pytest.mark.parametrize("field", ["text_config", "vision_config"])
@pytest.mark.parametrize("value", [3, "x", [], True])
def test_a_nested_config_that_is_no_object_is_refused(field, value):
    with pytest.raises(TypeError, match=f"{field} is .*must be an object"):
        shape_of("llava clip", **{field: value})


@pytest.mark.parametrize(
    ("name", "model_type", "message"),
    [
        ("llava clip", "foo", "text_config.model_type is 'foo'"),
        ("llava clip", "falcon", "does not serve with LoRA"),
        ("llava clip", "qwen2_vl", "must be a language model's"),
        ("llava clip", "qwen2_vl_text", "only inside"),
        ("gemma3", "llama", "allowed: 'gemma3_text'"),
    ],
)
def test_a_text_that_the_wrapper_cannot_hold_is_refused(
    name, model_type, message
):
    text = CASES[name]["config"]["text_config"] | {"model_type": model_type}
    with pytest.raises(ValueError, match=message):
        shape_of(name, text_config=text)


def test_an_error_in_a_tower_names_the_field_that_holds_it():
    config = CASES["llava clip"]["config"]["vision_config"]
    with pytest.raises(TypeError, match="vision_config: hidden_size is 'x'"):
        shape_of("llava clip", vision_config=config | {"hidden_size": "x"})
    with pytest.raises(ValueError, match="vision_config: model_type is 'vit'"):
        shape_of("llava clip", vision_config=config | {"model_type": "vit"})


def test_a_wrapper_without_its_text_is_refused():
    with pytest.raises(ValueError, match="config lacks 'text_config'"):
        ModelShape.from_config({"model_type": "gemma3"})


def test_gemma3n_is_served_without_lora():
    with pytest.raises(ValueError, match="does not serve with LoRA"):
        ModelShape.from_config({"model_type": "gemma3n"})
