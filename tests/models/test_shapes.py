"""Config files: real ones, and the ways in which one can be bad."""

import json

import pytest

from multilora.memory.economics import (
    adapter_params,
    base_flops_per_token,
    delta_flops_per_token,
)
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_names, model_shape
from multilora.published import published

# Parameter counts as known from the checkpoints: from Qwen3-8B on those that
# Hugging Face shows as safetensors' total, but gpt-oss-20b's, whose packed
# weights it counts by bytes, is transformers' own; a quantised model has as
# many as the one in 16 bits. For internlm-7b we found no published count to
# compare with, so that one only pins our own.
NUM_PARAMS = {
    "Llama-2-7B": 6_738_415_616,
    "Llama-3.1-8B": 8_030_261_248,
    "Llama-3.1-70B": 70_553_706_496,
    "Llama-3.2-1B": 1_235_814_400,
    "Mistral-7B": 7_241_732_096,
    "Qwen2.5-7B": 7_615_616_512,
    "Gemma-2-9B": 9_241_705_984,
    "internlm-7b": 7_321_948_160,
    "Qwen2.5-1.5B": 1_543_714_304,
    "Mixtral-8x7B": 46_702_792_704,
    "Qwen3-8B": 8_190_735_360,
    "Qwen3-30B-A3B": 30_532_122_624,
    "Gemma-3-12B": 12_187_325_040,
    "gpt-oss-20b": 20_914_757_184,
    "Phi-4-mini": 3_836_021_760,
    "Mistral-Small-24B": 23_572_403_200,
    "Llama-3.1-8B-FP8": 8_030_261_248,
    "Llama-3.1-8B-bnb4": 8_030_261_248,
    "Llama-3-8B-AWQ": 8_030_261_248,
}
GOOD = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 100,
}


@pytest.mark.parametrize("name", NUM_PARAMS)
def test_shipped_shapes_count_every_parameter(name):
    assert model_shape(name).num_params == NUM_PARAMS[name]


def test_every_shipped_model_names_its_source():
    assert set(model_names()) == set(NUM_PARAMS)
    for model in published("models"):
        assert model["source"].startswith("https://huggingface.co/")
        assert model["read_at"]


def test_grouped_queries_and_explicit_head_dim():
    gemma = {item.name: item for item in model_shape("Gemma-2-9B").linears}
    assert gemma["q_proj"].out_features == 16 * 256
    assert gemma["o_proj"].in_features == 16 * 256
    llama = {item.name: item for item in model_shape("Llama-3.1-8B").linears}
    assert llama["k_proj"].out_features == 1024


def test_a_mixture_has_an_mlp_an_expert_and_a_router():
    mixtral, mistral = model_shape("Mixtral-8x7B"), model_shape("Mistral-7B")
    assert mixtral.num_experts == 8 and mistral.num_experts == 0
    assert (mixtral.router.in_features, mixtral.router.out_features) == (
        4096, 8,
    )  # fmt: skip
    attention = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024)
    mlp = 32 * 3 * 4096 * 14336
    assert mistral.linear_params == attention + mlp
    assert mixtral.linear_params == attention + 8 * mlp
    # One adapter on all experts; the router is not among them.
    assert adapter_params(mixtral, 16, "all-linear") == 16 * 32 * (
        4 * 4096 + 2 * 4096 + 2 * 1024 + 8 * 3 * (4096 + 14336)
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda shape: base_flops_per_token(shape),
        lambda shape: delta_flops_per_token(shape, 8),
    ],
)
def test_what_knows_no_mixture_refuses_it(function):
    with pytest.raises(ValueError, match="mixture of 8 experts, but must be"):
        function(model_shape("Mixtral-8x7B"))


def test_silent_fields_take_the_library_defaults():
    shape = ModelShape.from_config(GOOD)
    assert (shape.num_kv_heads, shape.head_dim) == (4, 16)
    assert not shape.tied
    assert ModelShape.from_config(GOOD | {"model_type": "gemma2"}).tied


def test_biases_that_a_file_adds_are_counted():
    plain = ModelShape.from_config(GOOD).num_params
    both = GOOD | {"attention_bias": True, "mlp_bias": True}
    added = 2 * (4 * 64 + 2 * 96 + 64)
    assert ModelShape.from_config(both).num_params == plain + added


def test_reads_a_file_a_folder_and_a_dict(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(GOOD))
    shapes = [
        ModelShape.from_config(origin, name="x")
        for origin in (path, str(path), tmp_path, GOOD)
    ]
    assert len(set(shapes)) == 1


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"hidden_size": None}, ValueError, "lacks 'hidden_size'"),
        ({"hidden_size": 0}, ValueError, "hidden_size is 0"),
        ({"hidden_size": -64}, ValueError, "hidden_size is -64"),
        ({"hidden_size": "64"}, TypeError, "hidden_size is '64'"),
        ({"hidden_size": 64.5}, TypeError, "hidden_size is 64.5"),
        ({"hidden_size": float("nan")}, TypeError, "hidden_size is nan"),
        ({"hidden_size": 62}, ValueError, "does not divide"),
        (
            {"num_key_value_heads": 3},
            ValueError,
            "num_key_value_heads = 3, but must",
        ),
        ({"num_hidden_layers": True}, TypeError, "num_hidden_layers is True"),
        ({"model_type": "gpt2"}, ValueError, "model_type is 'gpt2'"),
        ({"model_type": None}, ValueError, "model_type is None"),
        ({"model_type": ["llama"]}, ValueError, "model_type is"),
        ({"num_local_experts": 8}, ValueError, "num_local_experts is 8"),
        ({"attention_bias": 3}, ValueError, "attention_bias is 3"),
        ({"tie_word_embeddings": "yes"}, ValueError, "tie_word_embeddings"),
    ],
)
def test_a_bad_field_is_named(changes, error, named):
    with pytest.raises(error, match=named):
        ModelShape.from_config(GOOD | changes)


def test_bad_files_say_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        ModelShape.from_config(tmp_path)
    with pytest.raises(ValueError, match="no such file"):
        ModelShape.from_config(tmp_path / "absent.json")
    with pytest.raises(FileNotFoundError, match="no such file"):
        ModelShape.from_config("x" * 5000)
    broken = tmp_path / "config.json"
    for text, named in (("{", "is not JSON"), ("[1]", "must be an object")):
        broken.write_text(text)
        with pytest.raises(ValueError, match=named):
            ModelShape.from_config(broken)
    broken.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="is not JSON"):
        ModelShape.from_config(broken)
    for wrong in (None, 7, ["config.json"]):
        with pytest.raises(TypeError, match="path_or_dict is"):
            ModelShape.from_config(wrong)


@pytest.mark.parametrize(
    "modules", [["q_prpj"], [], ["lm_head"], [7], "q_proj", None, 7]
)
def test_unknown_target_modules_are_refused(modules):
    with pytest.raises((ValueError, TypeError), match="target_modules"):
        model_shape("Mistral-7B").select(modules)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ValueError, match="'Llama-2-7B'"):
        model_shape("llama")
