"""How a model's weights are stored, as its config says or an argument does.

The fields are those of quantization_config in config.json, or of
hf_quant_config.json beside it. Which modules keep 16 bits, and how each
format is laid out, was read in vLLM 0.32.0 (model_executor/layers/
quantization/); bitsandbytes, which that version no longer has, in 0.10.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multilora.arguments import choice, shown
from multilora.models.formats import (
    BNB_4BIT_NESTED,
    FP8_BLOCK,
    FP8_CHANNEL,
    FP8_TENSOR,
    GPT_OSS_MXFP4,
    INT8_CHANNEL,
    MXFP4,
    MXFP8,
    NVFP4,
    Format,
)
from multilora.models.layers import Module
from multilora.models.quantisation_fields import (
    Rule,
    check_object,
    readers,
)

# What vLLM's --quantization makes of a 16-bit checkpoint: the format of
# linear layers, that of experts. "fp8" is the older name of fp8_per_tensor.
ONLINE: dict[str, tuple[Format | None, Format | None]] = {
    "fp8": (FP8_TENSOR, FP8_TENSOR),
    "fp8_per_tensor": (FP8_TENSOR, FP8_TENSOR),
    "fp8_per_block": (FP8_BLOCK, FP8_BLOCK),
    "fp8_per_channel": (FP8_CHANNEL, FP8_CHANNEL),
    "mxfp8": (MXFP8, MXFP8),
    "mxfp4": (MXFP4, MXFP4),
    "int8_per_channel_weight_only": (None, INT8_CHANNEL),
    "experts_int8": (None, INT8_CHANNEL),
    "nvfp4_per_token": (None, NVFP4),
    "bitsandbytes": (BNB_4BIT_NESTED, BNB_4BIT_NESTED),
}
# vLLM's own names for checkpoints' methods.
_SAME = {
    "auto_awq": "awq", "awq_marlin": "awq", "auto_gptq": "gptq",
    "gptq_marlin": "gptq", "gpt_oss_mxfp4": "mxfp4",
    "modelopt_fp4": "modelopt", "modelopt_mxfp8": "modelopt",
    "modelopt_fp8": "modelopt",
}  # fmt: skip
# Never quantised, whatever a config says.
_SIXTEEN_BITS = ("table", "gate", "conv", "plain", "norm", "split")
_SIXTEEN_BITS_BY_NAME = ("shared_expert_gate",)  # vLLM's qwen2_moe.py


@dataclass(frozen=True)
class Quantization:
    """How weights are stored, and which modules keep 16 bits.

    method is vLLM's name. rules give the format of modules, the first that
    fits; a module that no rule fits keeps 16 bits. kv_cache_dtype is what
    the checkpoint says of the KV cache, in vLLM's names.
    """

    method: str
    rules: tuple[Rule, ...]
    kv_cache_dtype: str = "auto"

    def format_of(
        self, paths: Iterable[str], module: Module, is_tower: bool = False
    ) -> Format | None:
        """Return the Format of modules that vLLM merges, None for 16 bits.

        paths are their full paths in the checkpoint, the merged one's first.
        Raises ValueError where some of them are quantised and some are not,
        which vLLM refuses.
        """
        if module.kind in _SIXTEEN_BITS:
            return None
        if module.name in _SIXTEEN_BITS_BY_NAME:
            return None
        merged, *parts = paths
        for rule in self.rules:
            if rule.fits(merged, parts, module, is_tower):
                return rule.format
        return None


def quantization_of(
    config: Mapping[str, Any], quantization: str | None = None
) -> Quantization | None:
    """Return what a config says of its weights; None for 16 bits.

    quantization, in the names of vLLM's --quantization, is what it makes of
    a checkpoint of 16 bits ("fp8_per_tensor", "bitsandbytes", ...), or the
    method that the config has; "none" reads the model as if it had 16 bits.
    Raises ValueError for a method, format or field that is not known, names
    a field, its value and what is allowed; TypeError for another kind.
    """
    if quantization is not None and not isinstance(quantization, str):
        raise TypeError(
            f"quantization is {shown(quantization)}, but must be a text such "
            "as 'fp8', or None"
        )
    config = check_object("config", config)
    if quantization == "none":
        return None
    said = _said(config)
    if said is None:
        return _online(quantization) if quantization else None
    own = from_fields(said)
    asked = _SAME.get(quantization or own.method, quantization or own.method)
    if asked != own.method:
        raise ValueError(
            f"quantization is {shown(quantization)}, but quant_method of "
            f"the config is {own.method!r}; leave quantization out"
        )
    return own


def expert_padding(config: Mapping[str, Any]) -> tuple[int, int]:
    """Return what experts' hidden and inner widths are rounded up to.

    (1, 1) where vLLM leaves them as they are. The experts' slots have the
    rounded widths too.
    """
    said = _said(config) or {}
    method = said.get("quant_method")
    is_padded = isinstance(method, str) and _SAME.get(method, method) == (
        "mxfp4"
    )
    return GPT_OSS_MXFP4.expert_padding if is_padded else (1, 1)


def from_fields(fields: Mapping[str, Any]) -> Quantization:
    """Return the Quantization of a quantization_config's fields."""
    fields = check_object("quantization_config", fields)
    known = readers()
    method = fields.get("quant_method")
    if method is None and _is_modelopt(fields):
        method = "modelopt"
    if isinstance(method, str):
        method = _SAME.get(method.lower(), method.lower())
    name = str(choice("quant_method", method, known))
    said = known[name](fields)
    return Quantization(name, said.rules, said.kv_cache_dtype)


def _is_modelopt(fields):
    """hf_quant_config.json names a producer, and no quant_method."""
    inner = fields.get("quantization", fields)
    return isinstance(inner, dict) and "quant_algo" in inner


def _said(config):
    """The fields that vLLM reads, in its order (weight_utils.py)."""
    text = config.get("text_config")
    scopes = (config, text if isinstance(text, dict) else {})
    for name in ("quantization_config", "compression_config"):
        for scope in scopes:
            if scope.get(name) is not None:
                return check_object(name, scope[name])
    return None


def _online(name):
    choice("quantization", name, ("none", *ONLINE))
    linear, experts = ONLINE[name]
    rules = tuple(
        Rule(found, only=only)
        for found, only in ((experts, "experts"), (linear, "linears"))
        if found
    )
    return Quantization(name, rules)
