"""The file that PEFT writes for an adapter: its tensors and its bytes."""

import itertools
import json
import math
from collections.abc import Mapping

from multilora.arguments import choice, integer, names, shown, text
from multilora.models.shapes import (
    ALL_LINEAR,
    ATTENTION,
    EMBEDDINGS,
    ModelShape,
    TargetModules,
    check_dense,
    check_shape,
)

DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_SAFETENSORS_NAME = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
PREFIX = "base_model.model."
DtypeAndShape = tuple[str, tuple[int, ...]]  # of one tensor


def adapter_params(
    shape: ModelShape, rank: int, target_modules: TargetModules
) -> int:
    """Return the number of weights in one adapter of a real model.

    Sum over layers and target modules of rank × (in + out). target_modules
    is a list of linear layers or "all-linear", rank an integer above 0. In a
    mixture an MLP layer counts once an expert, the router not at all.
    Raises ValueError for an unknown module or a rank below 1.
    """
    rank = integer("rank", rank, minimum=1)
    widths = (
        item.count * (item.in_features + item.out_features)
        for item in check_shape(shape).select(target_modules)
    )
    return rank * shape.num_layers * sum(widths)


def adapter_file_bytes(
    shape: ModelShape,
    rank: int,
    target_modules: TargetModules,
    dtype: str = "F32",
    prefix: str = PREFIX,
    saved_in_full: tuple[str, ...] | list[str] | set[str] = (),
    full_dtype: str = "BF16",
) -> int:
    """Return the size in bytes of adapter_model.safetensors.

    Eight bytes, a JSON header padded with spaces to a multiple of eight,
    then the tensors. dtype is F32 (what PEFT writes by default), F16 or
    BF16, or their names in torch. target_modules may hold embed_tokens and
    lm_head besides the linear layers. `prefix` precedes each key;
    `saved_in_full` names embeddings that the file holds as whole matrices,
    in full_dtype; nothing is added to it for embed_tokens or lm_head among
    the targets, though PEFT's default saves those too.
    Source: the safetensors format, version 0.8, and PEFT 0.21 key names.
    Raises ValueError for an unknown dtype, module or a rank below 1.
    """
    tensors = adapter_tensors(
        shape, rank, target_modules, dtype, prefix, saved_in_full, full_dtype
    )
    return safetensors_bytes(tensors)


def adapter_tensors(
    shape: ModelShape,
    rank: int,
    target_modules: TargetModules,
    dtype: str = "F32",
    prefix: str = PREFIX,
    saved_in_full: tuple[str, ...] | list[str] | set[str] = (),
    full_dtype: str = "BF16",
) -> dict[str, DtypeAndShape]:
    """Return {key: (dtype, tensor shape)} of the file that PEFT writes."""
    rank = integer("rank", rank, minimum=1)
    dtype, full_dtype = _dtype(dtype), _dtype(full_dtype, "full_dtype")
    text("prefix", prefix)
    linears, tables = _split_targets(check_dense(shape), target_modules)
    vocab, hidden = shape.vocab_size, shape.hidden_size
    tensors = {}
    for layer in range(shape.num_layers):
        for item in linears:
            block = "self_attn" if item.name in ATTENTION else "mlp"
            key = f"{prefix}model.layers.{layer}.{block}.{item.name}"
            tensors[f"{key}.lora_A.weight"] = (rank, item.in_features)
            tensors[f"{key}.lora_B.weight"] = (item.out_features, rank)
    if "embed_tokens" in tables:
        key = f"{prefix}model.embed_tokens.lora_embedding_"
        tensors |= {f"{key}A": (rank, vocab), f"{key}B": (hidden, rank)}
    if "lm_head" in tables:
        tensors[f"{prefix}lm_head.lora_A.weight"] = (rank, hidden)
        tensors[f"{prefix}lm_head.lora_B.weight"] = (vocab, rank)
    typed: dict[str, DtypeAndShape] = {
        key: (dtype, size) for key, size in tensors.items()
    }
    for name in _saved(saved_in_full):
        path = "lm_head" if name == "lm_head" else "model.embed_tokens"
        wrapped = ".base_layer" if name in tables else ""
        key = f"{prefix}{path}{wrapped}.weight"
        typed[key] = (full_dtype, (vocab, hidden))
    return typed


def safetensors_bytes(tensors: Mapping[str, DtypeAndShape]) -> int:
    """Return the bytes of a safetensors file of {key: (dtype, shape)}.

    The wider dtypes come first, then keys in order, as the format's own
    writer lays them out.
    """
    header: dict[str, dict[str, object]] = {"__metadata__": {"format": "pt"}}
    end = 0
    for key in sorted(tensors, key=lambda key: (_width(tensors[key]), key)):
        dtype, size = tensors[key]
        begin, end = end, end + DTYPE_BYTES[dtype] * math.prod(size)
        header[key] = {
            "dtype": dtype,
            "shape": list(size),
            "data_offsets": [begin, end],
        }
    length = len(json.dumps(header, separators=(",", ":")))
    return 8 + -(-length // 8) * 8 + end


def explain_file_bytes(
    actual_bytes: int,
    shape: ModelShape,
    rank: int,
    target_modules: TargetModules,
) -> str | None:
    """Say by name why a file has the size it has, or None if nothing fits.

    Tries a file without tensors, each dtype, the doubled key prefix, and
    embeddings saved in full in each dtype; returns one sentence.
    """
    actual_bytes = integer("actual_bytes", actual_bytes, minimum=1)
    tensors = adapter_tensors(shape, rank, target_modules, "F16")
    smallest = min(2 * math.prod(size) for _, size in tensors.values())
    if actual_bytes < smallest:
        return "too small for even one of its tensors: the save went wrong"
    for options in itertools.product(_PREFIXES, _SAVED, DTYPE_BYTES):
        prefix, saved, dtype = options
        for full in DTYPE_BYTES if saved else (dtype,):
            size = adapter_file_bytes(
                shape, rank, target_modules, dtype, prefix, saved, full
            )
            if size == actual_bytes:
                ending = _SAVED[saved] and f"{_SAVED[saved]} in {full}"
                return _DTYPE_TEXT[dtype] + _PREFIXES[prefix] + ending
    return None


def _split_targets(shape, target_modules):
    if isinstance(target_modules, str):
        return shape.select(target_modules), set()
    wanted = names("target_modules", target_modules)
    for name in wanted:
        choice("target_modules", name, ALL_LINEAR + EMBEDDINGS)
    linears = [name for name in wanted if name in ALL_LINEAR]
    return (shape.select(linears) if linears else ()), set(wanted) - set(
        linears
    )


def _saved(saved_in_full):
    if not isinstance(saved_in_full, tuple | list | set):
        raise TypeError(
            f"saved_in_full is {shown(saved_in_full)}, but must be a list "
            f"out of {', '.join(EMBEDDINGS)}"
        )
    return [
        choice("saved_in_full", name, EMBEDDINGS) for name in saved_in_full
    ]


def _width(tensor):
    dtype, _ = tensor
    return -DTYPE_BYTES[dtype]


def _dtype(dtype, name="dtype"):
    choice(name, dtype, (*DTYPE_BYTES, *_SAFETENSORS_NAME))
    return _SAFETENSORS_NAME.get(dtype, dtype)


_DTYPE_TEXT = {
    "F32": "fp32 on disk, twice the bytes that a 16-bit slot takes",
    "F16": "fp16 on disk",
    "BF16": "bf16 on disk",
}
_PREFIXES = {PREFIX: "", PREFIX * 2: ", with a doubled key prefix"}
_SAVED = {
    (): "",
    ("embed_tokens",): ", with embed_tokens saved in full",
    ("lm_head",): ", with lm_head saved in full",
    EMBEDDINGS: ", with embed_tokens and lm_head saved in full",
}
