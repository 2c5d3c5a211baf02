"""What a config.json says of its weights: formats, skipped modules, errors."""

import json

import pytest

from bad_input import each_wrong_value
from multilora.models.formats import FP8_TENSOR, FP8_TENSOR_STATIC, NVFP4
from multilora.models.quantisation import from_fields, quantization_of
from multilora.models.shapes import ModelShape
from quantised import AWQ, DENSE, FP8, GPTQ, MIXTURE, NF4, grouped

LAYER = "model.layers.1"

test_each_wrong_value_works_or_is_named = each_wrong_value({
    quantization_of: (DENSE, "fp8"),
})  # fmt: skip


def _format(said, path, fields=DENSE):
    """The format of the module at a path, alone."""
    shape = ModelShape.from_config(fields)
    modules = dict(shape.modules())
    return from_fields(said).format_of([path, path], modules[path])


def _is_kept(said, path, fields=DENSE):
    return _format(said, path, fields) is None


def test_a_config_without_fields_has_16_bits():
    assert quantization_of(DENSE) is None
    assert quantization_of({"quantization_config": None}) is None


def test_fields_may_be_in_the_language_models_own_config():
    inner = {"text_config": {"quantization_config": FP8}}
    assert quantization_of(inner).method == "fp8"
    assert quantization_of({"compression_config": AWQ}).method == "awq"


def test_tables_norms_and_routers_keep_16_bits():
    for said in (FP8, AWQ, GPTQ, NF4, grouped("pack-quantized")):
        for path in ("model.embed_tokens", "lm_head", "model.norm"):
            assert _is_kept(said, path)
        assert _is_kept(said, f"{LAYER}.mlp.gate", MIXTURE)
        assert not _is_kept(said, f"{LAYER}.mlp.down_proj")


def test_lm_head_is_quantised_where_the_fields_say_so():
    assert _format(GPTQ | {"lm_head": True}, "lm_head").bits == 4
    said = {"quant_method": "modelopt", "quant_algo": "NVFP4"}
    assert _format(said, "lm_head") == NVFP4
    assert _is_kept(said | {"ignore": ["lm_head"]}, "lm_head")


DOWN = f"{LAYER}.mlp.down_proj"
MODELOPT = {"quant_method": "modelopt", "quant_algo": "FP8"}


@pytest.mark.parametrize(
    ("said", "is_kept"),
    [
        # exact names, however a wrapper calls them
        (FP8 | {"modules_to_not_convert": [DOWN]}, True),
        (FP8 | {"ignored_layers": [f"language_model.{DOWN}"]}, True),
        (FP8 | {"modules_to_not_convert": [f"{LAYER}.mlp"]}, False),
        # a part of the name
        (AWQ | {"modules_to_not_convert": ["down"]}, True),
        (AWQ | {"modules_to_not_convert": ["layers.2"]}, False),
        # whole parts, or the start
        (NF4 | {"llm_int8_skip_modules": ["down_proj"]}, True),
        (NF4 | {"llm_int8_skip_modules": [f"{LAYER}.mlp"]}, True),
        (NF4 | {"llm_int8_skip_modules": ["model.layers.11.mlp"]}, False),
        (NF4 | {"llm_int8_skip_modules": ["down"]}, False),
        # wildcards
        (MODELOPT | {"ignore": ["model.layers.1*"]}, True),
        (MODELOPT | {"ignore": ["*.down_proj"]}, True),
        (MODELOPT | {"ignore": ["model.layers.2*"]}, False),
        # names or patterns
        (grouped("pack-quantized", ignore=[DOWN]), True),
        (grouped("pack-quantized", ignore=["re:.*mlp.*"]), True),
        (grouped("pack-quantized", ignore=["mlp"]), False),
        (GPTQ | {"dynamic": {r"-:.*\.mlp\..*": {}}}, True),
        (GPTQ | {"dynamic": {r"-:.*\.0\..*": {}}}, False),
    ],
)
def test_lists_of_names_match_as_in_vllm(said, is_kept):
    assert _is_kept(said, DOWN) == is_kept


def test_dynamic_rules_of_gptq_change_bits_of_some_modules():
    said = GPTQ | {"dynamic": {"+:.*down_proj": {"bits": 8, "group_size": 64}}}
    changed = _format(said, DOWN)
    assert (changed.bits, changed.group) == (8, 64)
    assert _format(said, f"{LAYER}.mlp.up_proj").bits == 4


def test_gptq_may_name_what_it_quantises():
    said = GPTQ | {
        "modules_in_block_to_quantize": [["mlp.up_proj"], ["mlp.d"]]
    }
    assert not _is_kept(said, DOWN)
    assert _is_kept(said, f"{LAYER}.self_attn.o_proj")


def test_parts_of_a_merged_layer_must_agree():
    said = FP8 | {"modules_to_not_convert": [f"{LAYER}.self_attn.q_proj"]}
    module = dict(ModelShape.from_config(DENSE).modules())[DOWN]
    parts = [f"{LAYER}.self_attn.{name}_proj" for name in ("qkv", *"qkv")]
    with pytest.raises(ValueError, match=r"some parts of .*qkv_proj 16 bits"):
        from_fields(said).format_of(parts, module)


def test_towers_follow_the_method():
    module = dict(ModelShape.from_config(DENSE).modules())[DOWN]
    path = "vision_tower.encoder.layers.0.mlp.fc1"
    kept = {
        name: from_fields(said).format_of([path], module, True) is None
        for name, said in (
            ("fp8", FP8), ("nf4", NF4), ("awq", AWQ), ("gptq", GPTQ),
            ("modelopt", MODELOPT),
        )
    }  # fmt: skip
    assert kept == {
        "fp8": False, "nf4": False, "awq": True, "gptq": True,
        "modelopt": True,
    }  # fmt: skip


def test_modelopt_says_its_fields_in_a_file_of_their_own(tmp_path):
    inner = {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8",
             "exclude_modules": ["lm_head"]}  # fmt: skip
    beside = {"producer": {"name": "modelopt"}, "quantization": inner}
    (tmp_path / "config.json").write_text(json.dumps(DENSE))
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(beside))
    for path in (tmp_path, tmp_path / "config.json"):
        found = quantization_of(ModelShape.from_config(path).config)
        assert found.method == "modelopt"
        assert found.kv_cache_dtype == "fp8"
        assert found.rules[0].format == FP8_TENSOR_STATIC
    own = DENSE | {"quantization_config": AWQ}
    (tmp_path / "config.json").write_text(json.dumps(own))
    shape = ModelShape.from_config(tmp_path)
    assert quantization_of(shape.config).method == "awq"


def test_the_cache_has_the_type_that_the_scheme_says():
    scheme = {"type": "float", "num_bits": 8}
    said = grouped("pack-quantized") | {"kv_cache_scheme": scheme}
    assert from_fields(said).kv_cache_dtype == "fp8"
    assert from_fields(grouped("pack-quantized")).kv_cache_dtype == "auto"


def test_an_argument_quantises_what_has_16_bits():
    found = quantization_of(DENSE, "fp8")
    assert [rule.format for rule in found.rules] == [FP8_TENSOR] * 2
    config = DENSE | {"quantization_config": FP8}
    assert quantization_of(config, "none") is None
    with pytest.raises(ValueError, match="quantization is 'awq', but quant_m"):
        quantization_of(config, "awq")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], r"quantization_config is \[\], but must be an object"),
        ({}, "quant_method is None, allowed: 'awq', 'bitsandbytes'"),
        ({"quant_method": "hqq"}, "quant_method is 'hqq', allowed: 'awq'"),
        ({"quant_method": ["fp8"]}, r"quant_method is \['fp8'\], allowed"),
        (GPTQ | {"bits": 5}, "bits is 5, allowed: 2, 3, 4, 8"),
        (GPTQ | {"bits": True}, "bits is True, allowed"),
        (AWQ | {"bits": 3}, "bits is 3, allowed: 4, 8"),
        (GPTQ | {"group_size": 0}, "group_size is 0, but must be -1 or"),
        (GPTQ | {"group_size": "128"}, "group_size is '128', but must be an"),
        (GPTQ | {"dynamic": {"-:(": {}}}, "dynamic is .*regular expression"),
        (GPTQ | {"desc_act": "no"}, "desc_act is 'no', allowed: True, False"),
        ({"quant_method": "awq"}, "quantization_config lacks 'bits'"),
        ({"quant_method": "fp8"}, "lacks 'activation_scheme'"),
        (FP8 | {"weight_block_size": 128}, "weight_block_size is 128, but"),
        (FP8 | {"weight_block_size": [0, 1]}, r"weight_block_size\[0\] is 0"),
        (FP8 | {"activation_scheme": "none"}, "activation_scheme is 'none'"),
        (FP8 | {"ignored_layers": "lm_head"}, "ignored_layers is 'lm_head'"),
        (NF4 | {"bnb_4bit_quant_type": "int4"}, "bnb_4bit_quant_type is"),
        (MODELOPT | {"quant_algo": "INT4_AWQ"}, "quant_algo is 'INT4_AWQ'"),
        (MODELOPT | {"kv_cache_scheme": 8}, "kv_cache_scheme is 8, but"),
        (grouped("", num_bits=5), "num_bits is 5, allowed"),
        (grouped("", strategy="row"), "strategy is 'row', allowed"),
        (grouped("", type="bool"), "type is 'bool', allowed: 'int', 'float'"),
        (grouped("", ignore=["re:("]), "ignore is .*regular expression"),
        ({"quant_method": "compressed-tensors", "config_groups": {"g": {
            "targets": ["Conv2d"], "weights": grouped("")["config_groups"][
                "group_0"]["weights"]}}}, "targets is 'Conv2d', allowed"),
    ],
)  # fmt: skip
def test_wrong_fields_are_named(said, words):
    with pytest.raises((ValueError, TypeError), match=words):
        quantization_of({"quantization_config": said})
