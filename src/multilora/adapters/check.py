"""Is this folder an adapter that this base can serve? Asked before loading.

vLLM refuses many bad adapters, loads others without a word, and is left
half-loaded by a few. These checks read the files and nothing else.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multilora.adapters import checkpoints
from multilora.adapters.config import AdapterError, check_config, read_config
from multilora.arguments import integer, shown, text
from multilora.matmul.lora import MAX_RANK
from multilora.models.shapes import (
    ALL_LINEAR,
    ATTENTION,
    ModelShape,
    check_dense,
)

_KEY = re.compile(
    r"^base_model\.model\.model\.layers\.(0|[1-9][0-9]*)\.(self_attn|mlp)\."
    r"(\w+)\.lora_([AB])\.weight$"
)
_TABLE_KEY = re.compile(
    r"^base_model\.model\.(?:model\.embed_tokens\.lora_embedding_|"
    r"lm_head\.lora_)([AB])(?:\.weight)?$"
)
_BLOCK = {
    name: "self_attn" if name in ATTENTION else "mlp" for name in ALL_LINEAR
}
FINGERPRINT_FILE = "base_sha256.txt"


@dataclass(frozen=True)
class AdapterFacts:
    """What an adapter's files say. num_bytes is that of its tensors."""

    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    num_bytes: int
    base_sha256: str | None

    @property
    def scaling(self) -> float:
        """alpha / rank, what vLLM multiplies the delta by."""
        return self.alpha / self.rank


def check_adapter(
    folder: str | Path,
    shape: ModelShape,
    max_lora_rank: int,
    base_sha256: str | None = None,
) -> AdapterFacts:
    """Return the AdapterFacts of a PEFT folder that fits, or raise.

    shape is the base's ModelShape. base_sha256 is the base's
    base_fingerprint: given, the adapter must carry the same in
    base_sha256.txt. Raises AdapterError for a missing or broken file, a
    pickle, a rank above max_lora_rank, another PEFT method, tensors of
    another shape, layer or module, weights that are NaN or infinite, an
    adapter that changes nothing, and for the wrong base.
    """
    folder = Path(checkpoints.path_of("folder", folder))
    check_dense(shape)
    max_lora_rank = integer("max_lora_rank", max_lora_rank, 1, MAX_RANK)
    if base_sha256 is not None:
        _check_sha256(base_sha256)
    if not folder.is_dir():
        raise AdapterError(f"folder is {shown(str(folder))}: no such folder")
    config = read_config(folder)
    rank = check_config(folder.name, config, max_lora_rank)
    tensors = _tensors(folder)
    _check_tensors(folder.name, tensors, shape, rank)
    facts = AdapterFacts(
        rank=rank,
        alpha=config["lora_alpha"],
        target_modules=_modules(tensors),
        num_bytes=sum(item.num_bytes for item in tensors.values()),
        base_sha256=_recorded_base(folder),
    )
    if base_sha256 is not None and facts.base_sha256 != base_sha256:
        raise AdapterError(
            f"{folder.name} was trained on base "
            f"{(facts.base_sha256 or 'unknown')[:12]}, but this base is "
            f"{base_sha256[:12]}: serve it on its own base, or train it again"
        )
    return facts


def _check_sha256(value):
    if not re.fullmatch("[0-9a-f]{64}", text("base_sha256", value)):
        raise ValueError(
            f"base_sha256 is {shown(value)}, but must be the 64 hex digits "
            "of base_fingerprint"
        )


def _tensors(folder):
    path = folder / "adapter_model.safetensors"
    if not path.is_file() and (folder / "adapter_model.bin").is_file():
        raise AdapterError(
            f"{folder.name} is a pickle, adapter_model.bin, which can run "
            "code when it is read: save it as safetensors"
        )
    if not path.is_file():
        raise AdapterError(f"{folder.name} has no adapter_model.safetensors")
    try:
        return checkpoints.tensors(path)
    except checkpoints.CheckpointError as error:
        raise AdapterError(f"{folder.name}: {error}") from None


def _check_tensors(name, tensors, shape, rank):
    if not tensors:
        raise AdapterError(f"{name} holds no tensors")
    pairs: dict[str, set[str]] = {}
    zeros: set[str] = set()
    for key, tensor in tensors.items():
        place, half, wanted = _expected(name, key, shape, rank)
        key = _short(key)
        if tensor.shape != wanted:
            raise AdapterError(
                f"{name}: {key} is {tensor.shape}, but the base and r = "
                f"{rank} make it {wanted}"
            )
        values = _values(name, tensor)
        num_bad = np.count_nonzero(~np.isfinite(values))
        if num_bad:
            raise AdapterError(
                f"{name}: {key} holds {num_bad} NaN or infinite weights"
            )
        pairs.setdefault(place, set()).add(half)
        if not values.any():
            zeros.add(place)
    _check_pairs(name, pairs, zeros)


def _check_pairs(name, pairs, zeros):
    """Refuse a lone half, and an adapter of which every place is zero."""
    for place, halves in pairs.items():
        if len(halves) == 1:
            raise AdapterError(f"{name}: {place} has only lora_{halves.pop()}")
    if zeros == pairs.keys():
        raise AdapterError(
            f"{name}: every delta is zero, as before training: it would "
            "answer as the base does"
        )


def _values(name, tensor):
    try:
        return tensor.values()
    except checkpoints.CheckpointError as error:
        raise AdapterError(f"{name}: {error}") from None


def _expected(name, key, shape, rank):
    """Return (module's place, "A" or "B", shape) of one tensor's key."""
    if table := _TABLE_KEY.match(key):
        hidden, vocab = shape.hidden_size, shape.vocab_size
        is_head = ".lm_head." in key
        rows = {"A": (rank, hidden if is_head else vocab)}
        rows["B"] = (vocab if is_head else hidden, rank)
        place = "lm_head" if is_head else "embed_tokens"
        return place, table[1], rows[table[1]]
    match = _KEY.match(key)
    if not match or match[2] != _BLOCK.get(match[3]):
        raise AdapterError(f"{name}: {_short(key)} fits no layer of the base")
    layer, module, half = int(match[1]), match[3], match[4]
    if layer >= shape.num_layers:
        raise AdapterError(
            f"{name}: {_short(key)} is of layer {layer}; the base has "
            f"{shape.num_layers} layers"
        )
    (linear,) = shape.select([module])
    wanted = {
        "A": (rank, linear.in_features),
        "B": (linear.out_features, rank),
    }
    return f"layer {layer} {module}", half, wanted[half]


def _short(key):
    return key.removeprefix("base_model.model.model.").removesuffix(".weight")


def _modules(tensors):
    found = {key.split(".lora_")[0].rsplit(".", 1)[-1] for key in tensors}
    return tuple(sorted(found))


def _recorded_base(folder):
    path = folder / FINGERPRINT_FILE
    if not path.is_file():
        return None
    return path.read_text("utf-8", errors="replace").strip()
