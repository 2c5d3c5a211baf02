"""Adapters that are wrong in one way each, made out of a good one."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from multilora.adapters.checkpoints import path_of, tensors
from multilora.arguments import choice, shown

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


PAYLOAD_RAN = "payload-ran"


class _Payload:
    """A pickle that makes a file where it is read carelessly."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return open, (str(self.folder / PAYLOAD_RAN), "w")


def _config(folder, **fields):
    path = folder / CONFIG
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(config | fields))


def _weights(folder, change):
    """Rewrite the weights: change maps (name, values) to the same or None."""
    from safetensors.numpy import save_file

    kept = {}
    for name, tensor in tensors(folder / WEIGHTS).items():
        changed = change(name, tensor.values())
        if changed is not None:
            name, values = changed
            kept[name] = np.ascontiguousarray(values, dtype=np.float32)
    save_file(kept, folder / WEIGHTS, {"format": "pt"})


def _resize(folder, rank_factor=1, width_factor=1.0):
    """Repeat or cut the weights to another rank or another base's widths."""

    def change(name, values):
        factors = [rank_factor, width_factor]
        if ".lora_B." in name:
            factors.reverse()
        for axis, factor in enumerate(factors):
            size = int(values.shape[axis] * factor)
            rows = np.arange(size) % values.shape[axis]
            values = values.take(rows, axis)
        return name, values

    _weights(folder, change)


def _rank_32(folder):
    _resize(folder, rank_factor=4)
    _config(folder, r=32)


def _rank_hidden(folder):
    _resize(folder, rank_factor=4)


def _smaller_base(folder):
    _resize(folder, width_factor=0.5)


def _larger_base(folder):
    _resize(folder, width_factor=2)


def _deeper_base(folder):
    def change(name, values):
        return name.replace("layers.1.", "layers.7."), values

    _weights(folder, change)


def _unknown_module(folder):
    def change(name, values):
        return name.replace("q_proj", "c_attn"), values

    _weights(folder, change)
    _config(folder, target_modules=["c_attn"])


def _nan(folder):
    def change(name, values):
        return name, values * np.nan if "layers.0.mlp.up" in name else values

    _weights(folder, change)


def _half(folder):
    def change(name, values):
        return None if ".lora_B." in name else (name, values)

    _weights(folder, change)


def _truncated(folder):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def _pickle(folder):
    (folder / WEIGHTS).unlink()
    with open(folder / "adapter_model.bin", "wb") as file:
        pickle.dump(_Payload(folder), file)


MISFITS: dict[str, Callable[[Path], None]] = {
    "rank 32, maximum 16": _rank_32,
    "r = 8 on paper, 32 in the file": _rank_hidden,
    "a module the base lacks": _unknown_module,
    "made for a smaller base": _smaller_base,
    "made for a larger base": _larger_base,
    "made for a deeper base": _deeper_base,
    "NaN weights": _nan,
    "A without B": _half,
    "no config": lambda folder: (folder / CONFIG).unlink(),
    "no weights": lambda folder: (folder / WEIGHTS).unlink(),
    "cut in half": _truncated,
    "a pickle": _pickle,
    "DoRA": lambda folder: _config(folder, use_dora=True),
}


def make_misfit(kind: str, adapter: str | Path, folder: str | Path) -> Path:
    """Copy a good rank-8 adapter into folder, spoil it, return the folder.

    kind is one of MISFITS. Raises ValueError for another kind, an adapter
    that is not of rank 8, or a folder that exists.
    """
    spoil = MISFITS[choice("kind", kind, MISFITS)]
    folder = Path(path_of("folder", folder))
    adapter = Path(path_of("adapter", adapter))
    try:
        rank = json.loads((adapter / CONFIG).read_text("utf-8"))["r"]
    except (OSError, ValueError, KeyError, TypeError):
        rank = None
    if rank != 8:
        raise ValueError(
            f"adapter is {shown(str(adapter))}, but must be the folder of an "
            f"adapter of rank 8, not {shown(rank)}"
        )
    if folder.exists():
        raise ValueError(f"folder is {shown(str(folder))}: it exists already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(adapter, folder)
    spoil(folder)
    return folder
