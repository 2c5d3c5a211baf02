"""The fields of a config.json, with what transformers fills in."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from multilora.arguments import choice, is_integer, shown
from multilora.models.expressions import evaluate, told
from multilora.published import shared

# What no config of a language model leaves out.
_NEVER_LEFT_OUT = ("hidden_size", "num_hidden_layers")
# Whole numbers that may be 0; all others are at least 1.
_MAY_BE_ZERO = (
    "attn_layer_offset",
    "expert_layer_offset",
    "first_k_dense_replace",
    "max_window_layers",
    "hidden_size_per_layer_input",
    "mlp_only_layers",
    "moe_layer_freq",
    "moe_layer_start_index",
    "moe_num_experts",
    "moe_num_shared_experts",
    "n_shared_experts",
    "num_dense_layers",
    "num_experts",
    "num_kv_shared_layers",
    "num_local_experts",
    "num_nextn_predict_layers",
    "shared_expert_intermediate_size",
    "shared_intermediate_size",
    "sliding_window",
    "vocab_size_per_layer_input",
)
# Counted from the end.
_MAY_BE_BELOW = ("vision_feature_layer",)


def defaults_of(model_type: str) -> dict[str, Any]:
    """Return the defaults of a configuration class of transformers, or {}."""
    return shared("config_defaults")["fields"].get(model_type, {})


def nullable_of(model_type: str) -> list[str]:
    """Return the fields in which a null is a value of its own, or []."""
    return shared("config_defaults")["nullable"].get(model_type, [])


def absent_of(model_type: str, scope: str) -> dict[str, Any] | None:
    """Return what a wrapper has for a nested config that a file leaves out.

    None where it has no such part then.
    """
    return shared("config_defaults")["absent"].get(model_type, {}).get(
        scope
    )  # fmt: skip


def aliases_of(model_type: str) -> dict[str, str]:
    """Return {the common name of a field: the name in this type's files}."""
    return shared("config_defaults")["aliases"].get(model_type, {})


def resolved(
    config: Mapping[str, Any],
    model_type: str,
    defaults: Mapping[str, Any] | None = None,
    required: Iterable[str] = (),
    aliases: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return every field with a value: the file's, or the default.

    A field of the file that is null counts as absent, except where
    transformers' class knows null as a value (no q_lora_rank, say). Raises
    ValueError or TypeError for a required field that is missing, and for a
    value that is not of its default's kind.
    """
    known = defaults_of(model_type) if defaults is None else dict(defaults)
    given = {key: value for key, value in config.items() if value is not None}
    nulls = {key: None for key in nullable_of(model_type)
             if key in config and key not in given}  # fmt: skip
    for common, own in (aliases or aliases_of(model_type)).items():
        for one, other in ((common, own), (own, common)):
            if one not in given and other in given:
                given[one] = given[other]
        if common not in known and own in known:
            known[common] = known[own]
    for key in required:
        if key not in given:
            raise ValueError(
                f"config lacks {key!r}; fields: {sorted(config)[:9]}"
            )
    for key in known.keys() & given.keys():
        given[key] = _checked(key, given[key], known[key])
    for key in _NEVER_LEFT_OUT:
        if key in given:
            given[key] = _whole(key, given[key])
    return {**known, **nulls, **given}


def _checked(key, value, default):
    """The value, if it is of its default's kind."""
    if key in _OF_ANY_KIND:
        return value
    if isinstance(default, bool):
        return choice(key, value, (True, False))
    if is_integer(default) or (default is None and key in _WHOLE_OR_NULL):
        if isinstance(value, list | tuple):
            return [_whole(f"{key}[{at}]", one) for at, one in
                    enumerate(value)]  # fmt: skip
        return _whole(key, value)
    if isinstance(default, list) and default and is_integer(value):
        return _whole(key, value)  # one number for both sides of a picture
    for kind, name in ((list, "list"), (dict, "object"), (str, "text")):
        if isinstance(default, kind) and not isinstance(value, kind):
            raise TypeError(f"{key} is {shown(value)}, but must be a {name}")
    return value


_WHOLE_OR_NULL = ("head_dim", "num_key_value_heads", "sliding_window",
                  "q_lora_rank", "n_inner")  # fmt: skip
# Numbers or texts, read where there is nothing better.
_OF_ANY_KIND = ("mamba_dt_rank", "sliding_window_pattern")
_LEAST = {"moe_layer_end_index": -1}  # -1: the last layer
# Above any model's; a field beyond it is a slip, and costs memory to expand.
_MOST = {"num_hidden_layers": 1000, "depth": 1000}
_LARGEST = 2**40


def _whole(key, value):
    is_whole = isinstance(value, float) and math.isfinite(value)
    if is_whole and value % 1 == 0:
        value = int(value)
    minimum = _LEAST.get(key, _minimum(key.partition("[")[0]))
    most = _MOST.get(key, _LARGEST)
    allowed = f"an integer from {minimum:,} to {most:,}"
    if not is_integer(value):
        raise TypeError(f"{key} is {shown(value)}, but must be {allowed}")
    if not minimum <= value <= most:
        raise ValueError(f"{key} is {shown(value)}, but must be {allowed}")
    return int(value)


def _minimum(key):
    if key in _MAY_BE_BELOW:
        return -_LARGEST
    return 0 if key in _MAY_BE_ZERO else 1


def derived(
    fields: Mapping[str, Any], formulas: Mapping[str, str]
) -> dict[str, Any]:
    """Return fields with each formula's value under its name, in order."""
    found = dict(fields)
    for name, formula in formulas.items():
        found[name] = evaluate(formula, found)
    return found


def check_rules(fields: Mapping[str, Any], rules: Iterable[str]) -> None:
    """Raise ValueError that names the fields of the first broken rule."""
    for rule in rules:
        if not evaluate(rule, fields):
            raise ValueError(
                f"config says {told(rule, fields)}, but must hold: {rule}"
            )
