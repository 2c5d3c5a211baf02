"""Small models, and what a config.json says of a quantised one."""

SIZES = {
    "hidden_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 1000,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
DENSE = {
    **SIZES,
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "intermediate_size": 1024,
}
MIXTURE = {
    **SIZES,
    "model_type": "mixtral",
    "architectures": ["MixtralForCausalLM"],
    "intermediate_size": 256,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
}
MODELS = {"dense": DENSE, "mixture": MIXTURE}

GPTQ = {
    "quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False,
    "sym": True,
}  # fmt: skip
AWQ = {
    "quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True,
    "version": "gemm",
}  # fmt: skip
FP8 = {"quant_method": "fp8", "activation_scheme": "dynamic"}
NF4 = {
    "quant_method": "bitsandbytes", "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
}  # fmt: skip
_DYNAMIC = {"symmetric": True, "strategy": "token", "dynamic": True}
_STATIC = {"symmetric": True, "strategy": "tensor", "dynamic": False}
_LOCAL = {
    "num_bits": 4, "type": "float", "symmetric": True, "group_size": 16,
    "strategy": "tensor_group", "dynamic": "local",
}  # fmt: skip


def grouped(form, inputs=None, ignore=("lm_head",), **weights):
    """Return compressed-tensors' fields for one group of linear layers."""
    usual = {
        "num_bits": 4, "type": "int", "symmetric": True, "strategy": "group",
        "group_size": 128, "dynamic": False,
    }  # fmt: skip
    group = {
        "targets": ["Linear"],
        "weights": usual | weights,
        "input_activations": inputs,
        "output_activations": None,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "ignore": list(ignore),
        "config_groups": {"group_0": group},
        "quantization_status": "compressed",
    }


def _float8(strategy, inputs=None, **weights):
    return grouped(
        "float-quantized", inputs, num_bits=8, type="float",
        strategy=strategy, group_size=None, **weights,
    )  # fmt: skip


SKIPPED = [
    *(f"model.layers.0.self_attn.{name}_proj" for name in "qkv"),
    "model.layers.1.mlp",
    "lm_head",
]
CONFIGS = {
    "16 bits": None,
    "fp8": FP8,
    "fp8 static": FP8 | {"activation_scheme": "static"},
    "fp8 block": FP8 | {"weight_block_size": [128, 128]},
    "fp8 skips": FP8 | {"modules_to_not_convert": SKIPPED},
    "fbgemm": {
        "quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0,
        "modules_to_not_convert": ["lm_head"],
    },
    "awq": AWQ,
    "awq skips": AWQ | {
        "group_size": 64, "modules_to_not_convert": ["self_attn"],
    },
    "gptq": GPTQ,
    "gptq rows": GPTQ | {"group_size": -1},
    "gptq 8": GPTQ | {"bits": 8, "group_size": 32},
    "packed": grouped("pack-quantized"),
    "packed zeros": grouped("pack-quantized", symmetric=False),
    "packed rows": grouped(
        "pack-quantized", num_bits=8, strategy="channel", group_size=None
    ),
    "packed skips": grouped(
        "pack-quantized", ignore=["lm_head", "re:.*self_attn.*"]
    ),
    "float8 rows": _float8("channel", _DYNAMIC | {
        "num_bits": 8, "type": "float"}),
    "float8 static": _float8("tensor", _STATIC | {
        "num_bits": 8, "type": "float"}),
    "int8 rows": grouped(
        "int-quantized", _DYNAMIC | {"num_bits": 8, "type": "int"},
        num_bits=8, strategy="channel", group_size=None,
    ),
    "nvfp4": grouped(
        "nvfp4-pack-quantized", _LOCAL, type="float",
        strategy="tensor_group", group_size=16,
    ),
    "nvfp4 16": grouped(
        "nvfp4-pack-quantized", type="float", strategy="tensor_group",
        group_size=16,
    ),
    "modelopt fp8": {"quant_method": "modelopt", "quant_algo": "FP8"},
    "modelopt nvfp4": {
        "quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16,
        "ignore": ["lm_head", "model.layers.0*"],
    },
}  # fmt: skip


# Experts beside a router that keeps 16 bits, which vLLM would quantise in
# this family if the list did not name it; and GPT-OSS, whose kernels want
# longer experts than it has.
ROUTED = {
    **SIZES,
    "model_type": "qwen3_moe",
    "architectures": ["Qwen3MoeForCausalLM"],
    "intermediate_size": 1024,
    "moe_intermediate_size": 256,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "norm_topk_prob": True,
}
_ROUTERS = [f"model.layers.{number}.mlp.gate" for number in range(2)]
GPT_OSS = {
    **SIZES,
    "model_type": "gpt_oss",
    "architectures": ["GptOssForCausalLM"],
    "hidden_size": 320,
    "intermediate_size": 320,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "layer_types": ["sliding_attention", "full_attention"],
    "sliding_window": 128,
    "attention_bias": True,
    "quantization_config": {
        "quant_method": "mxfp4",
        "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"],
    },
}
EXPERTS = {
    "fp8 block": ROUTED | {"quantization_config": FP8 | {
        "weight_block_size": [128, 128], "modules_to_not_convert": _ROUTERS}},
    "gptq": ROUTED | {"quantization_config": GPTQ | {
        "dynamic": {r"-:.*mlp\.gate$": {}}}},
    "packed": ROUTED | {"quantization_config": grouped(
        "pack-quantized", ignore=["lm_head", "re:.*mlp.gate$"])},
    "modelopt nvfp4": ROUTED | {"quantization_config": {
        "quant_method": "modelopt", "quant_algo": "NVFP4",
        "ignore": ["lm_head", "*mlp.gate"]}},
    "gpt-oss": GPT_OSS,
}  # fmt: skip
# How each of them is spread: GPUs of tensor parallelism, whole experts.
SPREAD = [(1, False), (2, False), (2, True)]


def config(model, name):
    """Return the config.json of a small model, quantised as CONFIGS has it."""
    said = CONFIGS[name]
    extra = {} if said is None else {"quantization_config": said}
    return MODELS[model] | extra
