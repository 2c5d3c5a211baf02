"""The fields of a quantization_config, one reader for each quant_method."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from multilora.arguments import choice
from multilora.models import formats as f
from multilora.models.formats import packed_int
from multilora.models.matching import (
    by_part,
    by_pattern,
    by_substring,
    by_wildcard,
    exactly,
)
from multilora.models.quantisation_groups import compressed_tensors
from multilora.models.quantisation_rules import (
    Fields,
    Rule,
    Said,
    bits_in,
    block_of,
    check_object,
    check_pattern,
    flag_in,
    group_in,
    kv_scheme,
    names_in,
    needed,
)


def readers() -> dict[str, Callable[[Fields], Said]]:
    """Return {quant_method: what reads its fields}."""
    return {
        "awq": _awq,
        "bitsandbytes": _bitsandbytes,
        "compressed-tensors": compressed_tensors,
        "fbgemm_fp8": _fbgemm,
        "fp8": _fp8,
        "gptq": _gptq,
        "modelopt": _modelopt,
        "mxfp4": _mxfp4,
        "mxfp8": _mxfp8,
    }


def _fp8(fields):
    """Fp8Config.from_config."""
    _, scheme = needed(fields, "activation_scheme")
    choice("activation_scheme", scheme, ("static", "dynamic"))
    form = f.FP8_TENSOR if scheme == "dynamic" else f.FP8_TENSOR_STATIC
    block = fields.get("weight_block_size")
    if block is not None:
        form = replace(f.FP8_BLOCK, block=block_of("weight_block_size", block))
        choice("activation_scheme", scheme, ("dynamic",))
    skips = names_in(fields, "ignored_layers", "modules_to_not_convert")
    return Said((Rule(form, exactly, skips),))


def _fbgemm(fields):
    """FBGEMMFp8Config: experts keep 16 bits."""
    skips = names_in(fields, "modules_to_not_convert")
    return Said((Rule(f.FBGEMM_FP8, exactly, skips, only="linears"),))


def _awq(fields):
    """AutoAWQConfig; towers are what the checkpoint left at 16 bits."""
    bits = bits_in(fields, "bits", "w_bit", allowed=(4, 8))
    form = packed_int(
        bits,
        group_in(fields, "group_size", "q_group_size"),
        has_zeros=flag_in(fields, "zero_point", True),
    )
    skips = names_in(fields, "modules_to_not_convert")
    head = flag_in(fields, "lm_head", False)
    return Said(
        (Rule(form, by_substring, skips, has_head=head, has_towers=False),)
    )


def _gptq(fields):
    """AutoGPTQConfig, with the per-module `dynamic` rules of GPTQModel.

    Without modules_in_block_to_quantize vLLM looks into the checkpoint for
    what is quantised; here it is then every linear layer but a tower's.
    """
    head = flag_in(fields, "lm_head", False)
    rule = partial(Rule, has_head=head, has_towers=False)
    rules = []
    dynamic = check_object("dynamic", fields.get("dynamic") or {})
    for pattern, other in dynamic.items():
        sign, _, text = pattern.partition(":")
        text = text if sign in ("+", "-") else pattern
        check_pattern("dynamic", text)
        changed = {**fields, **check_object(f"dynamic[{pattern!r}]", other)}
        form = None if sign == "-" else _gptq_format(changed)
        target = (f"re:{text}",)
        rules.append(rule(form, by_pattern, targets=target))
    only = _flat(fields, "modules_in_block_to_quantize")
    own = _gptq_format(fields)
    rules.append(rule(own, by_substring, targets=only))
    return Said(tuple(rules))


def _flat(fields, key):
    """A list of names, or of lists of them."""
    value = fields.get(key)
    if isinstance(value, list) and all(isinstance(v, list) for v in value):
        value = [name for inner in value for name in inner]
    return names_in({key: value}, key)


def _gptq_format(fields):
    group = group_in(fields, "group_size")
    ordered = flag_in(fields, "desc_act", False) and group != -1
    return packed_int(
        bits_in(fields, "bits"),
        group,
        has_zeros=True,
        has_order=ordered,
        has_expert_biases=True,
    )


def _bitsandbytes(fields):
    """BitsAndBytesConfig of vLLM 0.10 and before."""
    if flag_in(fields, "load_in_8bit", False):
        form = f.BNB_8BIT
    else:
        flag_in(fields, "load_in_4bit", True)
        kind = fields.get("bnb_4bit_quant_type") or "fp4"
        choice("bnb_4bit_quant_type", kind, ("nf4", "fp4"))
        nested = flag_in(fields, "bnb_4bit_use_double_quant", False)
        form = f.BNB_4BIT_NESTED if nested else f.BNB_4BIT
    skips = names_in(fields, "llm_int8_skip_modules")
    return Said((Rule(form, by_part, skips),))


def _mxfp4(fields):
    """GptOssMxfp4Config: experts only, whatever the list of names says."""
    names_in(fields, "modules_to_not_convert")
    return Said((Rule(f.GPT_OSS_MXFP4, only="experts"),))


def _mxfp8(fields):
    skips = names_in(fields, "ignored_layers", "modules_to_not_convert")
    return Said((Rule(f.MXFP8, exactly, skips),))


_MODELOPT = {
    "FP8": f.FP8_TENSOR_STATIC,
    "FP8_PER_CHANNEL_PER_TOKEN": f.FP8_CHANNEL,
    "FP8_PB_WO": f.FP8_BLOCK,
    "NVFP4": f.NVFP4,
    "W4A16_NVFP4": f.NVFP4_A16,
    "MXFP8": f.MXFP8,
}


def _modelopt(fields):
    """ModelOptQuantConfigBase.from_config: two layouts of the fields."""
    if "quantization" in fields:
        fields = check_object("quantization", fields["quantization"])
        skips = names_in(fields, "exclude_modules")
        kv = fields.get("kv_cache_quant_algo")
    else:
        skips = names_in(fields, "ignore")
        kv = kv_scheme(fields)
    _, name = needed(fields, "quant_algo")
    name = name.upper() if isinstance(name, str) else name
    form = _MODELOPT[choice("quant_algo", name, _MODELOPT)]
    if kv is not None:
        kv = kv.upper() if isinstance(kv, str) else kv
        choice("kv_cache_quant_algo", kv, ("FP8", "NVFP4"))
    skips += ("vision_tower", "vision_model", "vit_large_projector")
    cache = {None: "auto", "FP8": "fp8", "NVFP4": "nvfp4"}[kv]
    return Said((Rule(form, by_wildcard, skips, has_head=True),), cache)
