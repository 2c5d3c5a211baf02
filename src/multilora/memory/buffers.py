"""Tables that vLLM makes as a model loads: RoPE's cosines and sines."""

from collections.abc import Iterable, Mapping
from typing import Any

from multilora.models.build import text_fields
from multilora.models.family import family
from multilora.models.shapes import ModelShape

# The share of a head that is rotated where no field says it: transformers'
# configuration classes (setdefault of partial_rotary_factor, 5.19).
_SHARES = {
    "glm": 0.5, "glm4": 0.5, "glm4_moe": 0.5, "gpt_neox": 0.25,
    "nemotron": 0.5, "persimmon": 0.5, "phi": 0.5, "qwen3_5_moe_text": 0.25,
    "qwen3_5_text": 0.25, "qwen3_next": 0.25, "stablelm": 0.25,
}  # fmt: skip
# The scaling where no field says it (GptOssConfig.__post_init__).
_SCALED = {
    "gpt_oss": {
        "rope_type": "yarn", "factor": 32.0,
        "original_max_position_embeddings": 4096,
    },
}  # fmt: skip
# Learned positions, ALiBi, or none at all.
_WITHOUT = ("bloom", "gpt2", "gpt_bigcode", "jais", "mamba", "mpt", "opt")
_WIDE = ("gpt_oss",)  # float32 whatever the model's type (gpt_oss.py)


def rope_bytes(shape: ModelShape, width: int = 2) -> int:
    """Return the bytes of RoPE's tables on one GPU, of `width` an element.

    A table has a row for each position and a column for each rotated element
    of a head (layers/rotary_embedding/, vLLM 0.32.0); layers that rotate
    alike share one (get_rope). Multimodal RoPE has four times the rows, YaRN
    original_max_position_embeddings × factor, LongRoPE a second table.
    """
    fields, own = text_fields(shape.config, family(shape.architecture))
    if own.name in _WITHOUT or not shape.max_position_embeddings:
        return 0
    width = 4 if own.name in _WIDE else width
    tables = {
        (
            _columns(fields, scaling, _SHARES.get(own.name, 1.0)),
            _rows(fields, scaling, shape.max_position_embeddings),
            tuple(sorted((key, str(value)) for key, value in scaling.items())),
        )
        for scaling in _scalings(fields, _SCALED.get(own.name, {}))
    }
    return width * sum(columns * rows for columns, rows, _ in tables)


def _scalings(fields, default) -> Iterable[Mapping[str, Any]]:
    """The RoPE parameters of each kind of layer that the model has."""
    found = (
        fields.get("rope_parameters") or fields.get("rope_scaling") or default
    )
    kinds = fields.get("layer_types") or ()
    inner = [value for value in found.values() if isinstance(value, dict)]
    if inner:
        used = [found[kind] for kind in dict.fromkeys(kinds) if kind in found]
        return used or inner
    local = fields.get("rope_local_base_freq")
    if local and "sliding_attention" in kinds:
        own = {"rope_theta": local}
        return [own, found] if "full_attention" in kinds else [own]
    return [found]


def _columns(fields, scaling, default):
    share = scaling.get("partial_rotary_factor")
    share = share or fields.get("partial_rotary_factor") or default
    if fields.get("kv_lora_rank") and fields.get("qk_rope_head_dim"):
        return fields["qk_rope_head_dim"]
    return int(fields["head_dim"] * share)


def _rows(fields, scaling, positions):
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    original = scaling.get(
        "original_max_position_embeddings",
        fields.get("original_max_position_embeddings") or positions,
    )
    if kind == "yarn":
        positions = int(original * scaling.get("factor", 1))
    elif kind == "linear":
        positions = int(positions * scaling.get("factor", 1))
    elif kind in ("longrope", "su"):
        positions += original
    return positions * (4 if "mrope_section" in scaling else 1)
