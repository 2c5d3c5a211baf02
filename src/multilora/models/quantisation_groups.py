"""compressed-tensors' quantization_config: a format for each group."""

from dataclasses import replace

from multilora.arguments import choice
from multilora.models import formats as f
from multilora.models.formats import packed_int
from multilora.models.matching import by_pattern
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


def compressed_tensors(fields: Fields) -> Said:
    """CompressedTensorsConfig: a format for each group of targets."""
    groups = check_object("config_groups", fields.get("config_groups") or {})
    skips = names_in(fields, "ignore")
    for name in skips:
        if name.startswith("re:"):
            check_pattern("ignore", name[3:])
    named, general = [], []
    for key, group in groups.items():
        group = check_object(f"config_groups[{key!r}]", group)
        targets = names_in(group, "targets")
        if len(targets) == 1 and targets[0].endswith("Attention"):
            continue
        form = _group_format(group)
        classes = [t for t in targets if "." not in t and t[:3] != "re:"]
        for target in classes:
            choice("targets", target, ("Linear",))
        others = tuple(t for t in targets if t not in classes)
        if others:
            named.append(Rule(form, by_pattern, skips, others, has_head=True))
        if classes:
            general.append(Rule(form, by_pattern, skips))
    cache = "fp8" if kv_scheme(fields) else "auto"
    return Said((*named, *general), cache)


def _group_format(group):
    """CompressedTensorsConfig._get_scheme_from_parts."""
    weights = check_object("weights", group.get("weights"))
    _, kind = needed(weights, "type")
    choice("type", kind, ("int", "float"))
    _, strategy = needed(weights, "strategy")
    allowed = ("tensor", "channel", "block", "group", "tensor_group")
    choice("strategy", strategy, allowed)
    inputs = group.get("input_activations")
    inputs = None if inputs is None else check_object(
        "input_activations", inputs)  # fmt: skip
    if kind == "float":
        return _float_format(weights, strategy, inputs)
    bits = bits_in(weights, "num_bits")
    if inputs is not None and bits == 8:
        static = not inputs.get("dynamic")
        return replace(
            f.INT8_CHANNEL,
            scaled=choice("strategy", strategy, ("tensor", "channel")),
            has_input_scale=static,
            expert_input_scales="expert" if static else "",
        )
    choice("strategy", strategy, ("group", "channel"))
    size = -1 if strategy == "channel" else group_in(weights, "group_size")
    zeros = not flag_in(weights, "symmetric", True)
    form = packed_int(bits, size, has_zeros=zeros)
    return replace(form, fixed_bytes=16, expert_fixed_bytes=4)


def _float_format(weights, strategy, inputs):
    bits = bits_in(weights, "num_bits", allowed=(4, 8))
    if bits == 4:
        if strategy == "tensor_group":
            return f.NVFP4_A16 if inputs is None else f.NVFP4
        choice("strategy", strategy, ("group", "tensor_group"))
        choice("group_size", weights.get("group_size"), (32,))
        return f.MXFP4
    if strategy == "group":
        choice("group_size", weights.get("group_size"), (32,))
        return f.MXFP8
    choice("strategy", strategy, ("tensor", "channel", "block"))
    if strategy == "block":
        block = block_of("block_structure", weights.get("block_structure"))
        return replace(f.FP8_BLOCK, block=block)
    is_static = inputs is not None and not inputs.get("dynamic")
    static = f.FP8_TENSOR_STATIC if is_static else f.FP8_TENSOR
    return replace(static, scaled=strategy)
