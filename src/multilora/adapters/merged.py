"""A tenant's dedicated model: the base with its adapter merged in."""

import json
import shutil
from pathlib import Path

import numpy as np

from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.checkpoints import path_of, tensors, weight_files
from multilora.adapters.foreign import WEIGHTS
from multilora.adapters.keys import Renames, read_key
from multilora.arguments import shown
from multilora.matmul.lora import merge_weights
from multilora.models.shapes import EMBEDDINGS, ModelShape

_COPIED = ("tokenizer.json", "tokenizer_config.json")


def write_merged(
    base: str | Path, adapter: str | Path, folder: str | Path
) -> Path:
    """Write base + adapter as a model of its own, float32; return folder.

    base and adapter are folders of safetensors, the adapter one that
    check_adapter passes, with linear layers only. Each layer becomes
    merge_weights(W, A, B, scaling). Raises AdapterError for an adapter
    that does not fit, CheckpointError for a broken file.
    """
    from safetensors.numpy import save_file

    base = Path(path_of("base", base))
    adapter = Path(path_of("adapter", adapter))
    folder = Path(path_of("folder", folder))
    if folder.resolve() in (base.resolve(), adapter.resolve()):
        raise ValueError(
            f"folder is {shown(str(folder))}, which is the base's or the "
            "adapter's own; it would be overwritten"
        )
    shape = ModelShape.from_config(base)
    facts = check_adapter(adapter, shape, max_lora_rank=512)
    if tables := set(facts.target_modules) & set(EMBEDDINGS):
        raise AdapterError(
            f"{adapter.name} adapts {', '.join(sorted(tables))}; only linear "
            "layers are merged here"
        )
    halves = _halves(adapter)
    weights = {}
    for path in weight_files(base):
        for name, tensor in tensors(path).items():
            values = tensor.values()
            layer = name.removesuffix(".weight")
            if layer in halves:
                pair = halves[layer]
                values = merge_weights(
                    values, pair["A"], pair["B"], facts.scaling_of(layer)
                )
                del halves[layer]
            weights[name] = values
    if halves:
        raise AdapterError(
            f"{adapter.name} adapts {next(iter(halves))}, which the base's "
            "files do not hold under that name"
        )
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    _write_config(base, folder)
    return folder


def _halves(adapter):
    """Return {layer: {"A": values, "B": values}} of an adapter's file."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, tensor in tensors(adapter / WEIGHTS).items():
        if read := read_key(key, Renames()):
            halves = found.setdefault(read.module, {})
            halves[read.half] = tensor.values()
    return found


def _write_config(base, folder):
    config = json.loads((base / "config.json").read_text("utf-8"))
    config["dtype"] = "float32"
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    for name in _COPIED:
        if (base / name).is_file():
            shutil.copy(base / name, folder / name)
