"""Bytes of weights on one GPU: by format, against vLLM's and public logs."""

import pytest

from bad_input import each_wrong_value
from multilora.memory.reservation import slot_reservation_bytes
from multilora.memory.rounding import MIB, rounding_bytes
from multilora.memory.weights import weight_breakdown, weight_bytes
from multilora.models.shapes import ModelShape
from multilora.units import GIB
from quantised import (
    AWQ,
    CONFIGS,
    DENSE,
    EXPERTS,
    FP8,
    GPTQ,
    MODELS,
    NF4,
    SPREAD,
    config,
)  # fmt: skip

# Bytes of all parameters as vLLM 0.32.0 allocates them: the dense model on
# one GPU and on each of two, then the mixture. test_weights_on_vllm.py asks
# vLLM itself.
ON_VLLM = {
    "16 bits": (11_015_168, 5_510_144, 11_023_360, 5_518_336),
    "fp8": (6_558_776, 3_281_976, 6_567_040, 3_290_240),
    "fp8 static": (6_558_832, 3_282_032, 6_567_136, 3_290_336),
    "fp8 block": (6_559_808, 3_282_464, 6_568_000, 3_290_656),
    "fp8 skips": (6_951_980, 3_478_572, 6_960_244, 3_486_836),
    "fbgemm": (6_589_472, 3_301_408, 9_722_896, 4_870_160),
    "awq": (4_417_536, 2_211_328, 4_425_728, 2_219_520),
    "awq skips": (6_419_456, 3_212_288, 6_427_648, 3_220_480),
    "gptq": (4_417_536, 2_211_328, 4_442_112, 2_231_808),
    "gptq rows": (4_349_696, 2_179_968, 4_381_952, 2_208_128),
    "gptq 8": (6_976_512, 3_490_816, 7_001_088, 3_511_296),
    "packed": (4_400_256, 2_202_752, 4_408_448, 2_210_944),
    "packed zeros": (4_417_664, 2_211_456, 4_425_856, 2_219_648),
    "packed rows": (6_574_208, 3_291_776, 6_588_544, 3_306_112),
    "packed skips": (6_345_792, 3_175_488, 6_353_984, 3_183_680),
    "float8 rows": (6_589_440, 3_301_376, 6_609_920, 3_321_856),
    "float8 static": (6_558_832, 3_282_032, 6_567_136, 3_290_336),
    "int8 rows": (6_589_440, 3_301_376, 6_609_920, 3_321_856),
    "nvfp4": (4_609_136, 2_307_184, 4_617_472, 2_315_520),
    "nvfp4 16": (4_609_080, 2_307_128, 4_617_440, 2_315_488),
    "modelopt fp8": (6_034_552, 3_019_896, 6_042_856, 3_028_200),
    "modelopt nvfp4": (7_812_152, 3_908_664, 7_820_416, 3_916_928),
}


# The same for experts beside a 16-bit router: one GPU, two that cut each
# expert, two that hold whole experts.
EXPERTS_ON_VLLM = {
    "fp8 block": (6_568_512, 3_291_168, 3_291_168),
    "gptq": (4_442_624, 2_232_320, 2_228_224),
    "packed": (4_408_960, 2_211_456, 2_211_424),
    "modelopt nvfp4": (4_617_984, 2_316_032, 2_315_936),
    "gpt-oss": (5_489_072, 3_173_280, 2_749_344),
}


@pytest.mark.parametrize("name", EXPERTS)
def test_experts_take_what_vllm_allocated(name):
    shape = ModelShape.from_config(EXPERTS[name])
    found = tuple(
        weight_bytes(
            shape, tensor_parallel_size=size, enable_expert_parallel=whole
        )
        for size, whole in SPREAD
    )
    assert found == EXPERTS_ON_VLLM[name]


def test_gpt_oss_has_tables_of_float32():
    found = weight_breakdown(ModelShape.from_config(EXPERTS["gpt-oss"]))
    assert found.buffers == 32 * 4096 * 64 * 4  # YaRN, as its class has it


@pytest.mark.parametrize("name", CONFIGS)
def test_each_format_takes_what_vllm_allocated(name):
    found = tuple(
        weight_bytes(ModelShape.from_config(config(model, name)), None, size)
        for model in MODELS
        for size in (1, 2)
    )
    assert found == ON_VLLM[name]


def _llama(hidden, inner, layers, heads, kv_heads, vocabulary, **others):
    return {
        "model_type": "llama", "hidden_size": hidden,
        "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "vocab_size": vocabulary, "max_position_embeddings": 131072,
        "tie_word_embeddings": False, **others,
    }  # fmt: skip


LLAMA_8B = _llama(4096, 14336, 32, 32, 8, 128256)
LLAMA_70B = _llama(8192, 28672, 80, 64, 8, 128256)
LLAMA_3B = _llama(3072, 8192, 28, 24, 8, 128256, tie_word_embeddings=True)
LLAMA_1B = _llama(
    2048, 8192, 16, 32, 8, 128256, tie_word_embeddings=True, head_dim=64
)
MISTRAL = _llama(4096, 14336, 32, 32, 8, 32768) | {
    "model_type": "mistral", "max_position_embeddings": 32768,
}  # fmt: skip
QWEN_7B = _llama(3584, 18944, 28, 28, 4, 152064) | {
    "model_type": "qwen2", "max_position_embeddings": 32768,
}  # fmt: skip
QWEN_72B = _llama(8192, 29568, 80, 64, 8, 152064) | {
    "model_type": "qwen2", "max_position_embeddings": 32768,
}  # fmt: skip
LLAMA_13B = _llama(5120, 13824, 40, 40, 40, 32000)


def _weights(fields, said=None):
    extra = {} if said is None else {"quantization_config": said}
    return weight_breakdown(ModelShape.from_config(fields | extra))


def test_nf4_of_a_checkpoint_of_8_billion():
    # unsloth's Llama-3.1-8B: half a byte a weight, a byte for 64 of them,
    # four more for 256 bytes of those, tables and norms at 16 bits.
    linears = 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    others = 2 * (2 * 128256 * 4096 + 65 * 4096)
    found = _weights(LLAMA_8B, NF4)
    assert found.weights == 5_702_295_552
    assert found.linears == linears // 2
    assert found.scales == linears // 64 + 4 * linears // 64 // 256
    assert found.tables + found.other == others


def test_fp8_of_a_checkpoint_of_70_billion():
    # NVIDIA's, whose FP8 is said in hf_quant_config.json: a byte a weight,
    # two for tables and norms, two float32 for each of 560 matrices.
    said = {"producer": {"name": "modelopt"}, "quantization": {
        "quant_algo": "FP8", "kv_cache_quant_algo": "FP8",
        "exclude_modules": ["lm_head"]}}  # fmt: skip
    found = _weights(LLAMA_70B, said)
    assert found.weights - found.scales == 72_656_371_712
    assert found.scales == 80 * 7 * 2 * 4


@pytest.mark.parametrize(
    ("fields", "said", "gigabytes"),
    [(LLAMA_13B, GPTQ, 7.25), (QWEN_72B, AWQ, 41.5)],
)
def test_four_bits_of_public_checkpoints(fields, said, gigabytes):
    found = _weights(fields, said).weights / 1e9
    assert found == pytest.approx(gigabytes, rel=0.002)


DYNAMIC = NF4 | {"llm_int8_skip_modules": ["lm_head", "model.layers.1.mlp"]}
BLOCKS = FP8 | {"weight_block_size": [128, 128]}


# What start-ups logged as "Model loading took", GiB; slots were within that
# line from 0.8.1 on. The skipped MLP is the one that vLLM's pull request
# 12974 shows for a Llama-3.1-8B of unsloth's dynamic quantisation.
@pytest.mark.parametrize(
    ("fields", "said", "version", "slots_of", "rank", "measured"),
    [
        (LLAMA_3B, None, "0.8.1", "0.8.5", 64, 6.2472),
        (LLAMA_3B, None, "0.8.5.post1", "0.8.5", 64, 6.2473),
        (LLAMA_3B, None, "0.8.2", None, 0, 6.016),
        (LLAMA_8B, None, "0.8.2", None, 0, 14.9889),
        (QWEN_7B, None, "0.7.3", None, 0, 14.2487),
        (LLAMA_1B, BLOCKS, "0.11.2", "0.22.1", 32, 1.4721),
        (LLAMA_8B, DYNAMIC, "0.7.3", None, 32, 5.5976),
        (LLAMA_8B, NF4, "0.7.2", None, 32, 5.3541),
        (MISTRAL, NF4, "0.8.5.post1", "0.8.5", 32, 4.0423),
        (LLAMA_1B, None, "0.6.6", None, 0, 2.3185),
        (LLAMA_1B, NF4, "0.6.6", None, 0, 0.9786),
    ],
)
def test_public_startups_loaded_as_much(
    fields, said, version, slots_of, rank, measured
):
    found = _weights(fields, said).loaded(version)
    if slots_of:
        shape = ModelShape.from_config(fields)
        found += slot_reservation_bytes(shape, 1, rank, vllm_version=slots_of)
    assert found / GIB == pytest.approx(measured, rel=0.006)


def test_a_wrapper_on_four_gpus_loaded_as_much():
    # Qwen2.5-VL-7B, vLLM 0.8: 4.0323 GiB on each; its RoPE has four times
    # the rows, and the tower is cut as well.
    sections = {"type": "mrope", "mrope_section": [16, 24, 24]}
    fields = QWEN_7B | {
        "model_type": "qwen2_5_vl",
        "max_position_embeddings": 128000,
        "rope_scaling": sections,
        "vision_config": {
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
        },
    }
    shape = ModelShape.from_config(fields)
    found = weight_breakdown(shape, None, 4)
    assert found.loaded("0.8.5") / GIB == pytest.approx(4.0323, rel=0.015)


def test_three_more_mlps_at_16_bits_explain_another_dynamic_checkpoint():
    # Qwen2.5-3B, vLLM 0.7.1: 2.2160 GiB. Which modules its list names is not
    # known; three MLPs are assumed, since no other whole number of them fits.
    fields = QWEN_7B | {
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    }
    off = []
    for count in range(5):
        skips = [f"model.layers.{number}.mlp" for number in range(count)]
        found = _weights(fields, NF4 | {"llm_int8_skip_modules": skips})
        off.append(abs(found.loaded("0.7.1") / GIB / 2.216 - 1))
    assert [error < 0.015 for error in off] == [False] * 3 + [True, False]


def test_the_allocator_explains_what_qwen_loads_above_its_parameters():
    found = _weights(QWEN_7B)
    assert found.weights == 15_231_233_024
    assert round(found.loaded() / GIB, 4) == 14.2487
    # gate and up, down, qkv: 1, 0.5, 0.5 MiB in each of 28 layers; tables.
    assert found.rounding >= 28 * 2 * MIB
    assert rounding_bytes(259 * MIB) == MIB
    assert rounding_bytes(49 * MIB // 2) == 0  # 1.5 MiB left: given on
    assert rounding_bytes(1) == 511


def test_later_versions_unpack_doubly_quantised_scales():
    found = _weights(LLAMA_8B, NF4)
    linears = found.linears * 2
    nested = linears // 64 + 4 * linears // 64 // 256
    assert found.unpacked == linears // 64 * 4 - nested
    assert found.loaded("0.9.2") - found.loaded("0.9.1") == found.unpacked
    assert _weights(LLAMA_8B).unpacked == 0


def test_none_forces_16_bits_and_other_names_quantise_on_loading():
    plain = ModelShape.from_config(DENSE)
    packed = ModelShape.from_config(DENSE | {"quantization_config": GPTQ})
    assert weight_bytes(packed, "none") == weight_bytes(plain)
    assert weight_bytes(packed, "gptq_marlin") == weight_bytes(packed)
    eight = weight_breakdown(plain, "fp8_per_tensor")
    assert eight.linears * 2 == weight_breakdown(plain).linears
    assert weight_breakdown(plain, "fp8") == eight
    assert weight_bytes(plain, dtype="float32") == 2 * weight_bytes(plain)


def test_experts_alone_have_8_bits_where_the_name_says_so():
    name = "int8_per_channel_weight_only"
    dense = ModelShape.from_config(MODELS["dense"])
    mixture = ModelShape.from_config(MODELS["mixture"])
    assert weight_bytes(dense, name) == weight_bytes(dense)
    experts = 2 * 4 * 3 * 512 * 256
    saved = weight_breakdown(mixture).linears - weight_breakdown(
        mixture, name).linears  # fmt: skip
    assert saved == experts


def test_a_mixture_spreads_whole_experts_over_gpus():
    shape = ModelShape.from_config(config("mixture", "fp8 block"))
    cut = weight_breakdown(shape, None, 2)
    moved = weight_breakdown(shape, None, 2, enable_expert_parallel=True)
    assert cut.linears == moved.linears
    assert cut.tables == moved.tables


def test_the_fullest_stage_of_a_pipeline_counts():
    shape = ModelShape.from_config(DENSE)
    one, two = (weight_breakdown(shape, None, 1, n) for n in (1, 2))
    assert two.linears * 2 == one.linears
    assert two.tables * 2 == one.tables


def test_a_group_must_divide_the_inputs_on_one_gpu():
    said = AWQ | {"group_size": 128}
    narrow = DENSE | {"intermediate_size": 1152, "quantization_config": said}
    shape = ModelShape.from_config(narrow)
    assert weight_bytes(shape)
    words = "group_size is 128, but must divide the 576 inputs"
    with pytest.raises(ValueError, match=words):
        weight_bytes(shape, None, 2)


def test_tables_of_rope_by_kind():
    def buffers(**others):
        return _weights(DENSE | others).buffers

    row = 64 * 2  # 64 cosines and sines of two bytes
    assert buffers() == 2048 * row
    yarn = {"rope_type": "yarn", "factor": 4.0,
            "original_max_position_embeddings": 1024}  # fmt: skip
    assert buffers(rope_scaling=yarn) == 4096 * row
    linear = {"rope_type": "linear", "factor": 2.0}
    assert buffers(rope_scaling=linear) == 4096 * row
    sections = {"type": "mrope", "mrope_section": [16, 24, 24]}
    assert buffers(rope_scaling=sections) == 4 * 2048 * row
    half = {"rope_type": "default", "partial_rotary_factor": 0.5}
    assert buffers(rope_parameters=half) == 1024 * row


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("int3",), "quantization is 'int3', allowed: 'none', 'fp8'"),
        (("awq",), "quantization is 'awq', allowed"),
        ((7,), "quantization is 7, but must be a text"),
        ((None, 3), "tensor_parallel_size is 3, but must divide"),
        ((None, 1, 9), "pipeline_parallel_size is 9, but must be at most"),
        ((None, 1, 1, False, "int8"), "dtype is 'int8', allowed: 'auto'"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises((ValueError, TypeError), match=words):
        weight_bytes(ModelShape.from_config(DENSE), *arguments)


SMALL = ModelShape.from_config(DENSE)
test_each_wrong_value_works_or_is_named = each_wrong_value({
    weight_bytes: (SMALL, "none", 1, 1),
    weight_breakdown: (SMALL, "fp8", 1, 1),
    rounding_bytes: (12 * MIB,),
})  # fmt: skip


def test_a_version_is_numbers():
    with pytest.raises(ValueError, match="vllm_version is 'new', but must"):
        _weights(DENSE).loaded("new")
