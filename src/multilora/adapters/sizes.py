"""How many bytes an adapter's file has."""

import json
import math
from collections.abc import Mapping

from multilora.adapters.keys import PREFIX
from multilora.adapters.layout import (
    DTYPE_BYTES,
    DtypeAndShape,
    Layout,
    adapter_tensors,
)
from multilora.models.shapes import ModelShape, TargetModules


def adapter_file_bytes(
    shape: ModelShape,
    rank: int,
    target_modules: TargetModules,
    dtype: str = "F32",
    prefix: str = PREFIX,
    saved_in_full: tuple[str, ...] | list[str] | set[str] = (),
    full_dtype: str = "BF16",
    layout: Layout = Layout(),  # noqa: B008
) -> int:
    """Return the size in bytes of adapter_model.safetensors.

    Eight bytes, a JSON header padded with spaces to a multiple of eight,
    then the tensors. dtype is F32 (what PEFT writes by default), F16 or
    BF16, or their names in torch. target_modules may hold embed_tokens and
    lm_head besides the linear layers. `prefix` precedes each key;
    `saved_in_full` names embeddings that the file holds as whole matrices,
    in full_dtype; nothing is added to it for embed_tokens or lm_head among
    the targets, though PEFT's default saves those too. layout says how
    experts are kept, and what is kept of a wrapper.
    Source: the safetensors format, version 0.8, and PEFT 0.21 key names.
    Raises ValueError for an unknown dtype, module or a rank below 1.
    """
    tensors = adapter_tensors(
        shape, rank, target_modules, dtype, prefix, saved_in_full, full_dtype,
        layout,
    )  # fmt: skip
    return safetensors_bytes(tensors)


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


def _width(tensor):
    dtype, _ = tensor
    return -DTYPE_BYTES[dtype]
