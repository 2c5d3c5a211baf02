"""An adapter of random weights for any base, to try a check or a server."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from multilora.adapters.checkpoints import path_of
from multilora.adapters.foreign import WEIGHTS
from multilora.adapters.layout import Layout, adapter_tensors, split_targets
from multilora.arguments import shown
from multilora.models.shapes import ModelShape, TargetModules

_AS_PEFT = Layout()


def make_adapter(
    folder: str | Path,
    shape: ModelShape,
    rank: int = 8,
    target_modules: TargetModules = "all-linear",
    layout: Layout = _AS_PEFT,
    config: Mapping[str, Any] | None = None,
) -> Path:
    """Write an adapter as PEFT would, in 32 bits, and return its folder.

    The weights are random, the same at each call, and no module's delta is
    zero. config replaces fields of adapter_config.json. Raises ValueError
    for a folder that exists, and as adapter_tensors does.
    """
    made = adapter_tensors(shape, rank, target_modules, layout=layout)
    fields = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": 2 * rank,
        "bias": "none",
        "target_modules": sorted(set.union(*split_targets(
            shape, target_modules))),
    }  # fmt: skip
    sizes = {key: size for key, (_, size) in made.items()}
    return write_adapter(folder, sizes, fields | dict(config or {}))


def write_adapter(
    folder: str | Path,
    sizes: Mapping[str, tuple[int, ...]],
    config: Mapping[str, Any],
) -> Path:
    """Write an adapter with random tensors of {key: shape} and its config.

    Raises ValueError for a folder that exists.
    """
    # Local: it is needed only where a file is written.
    from safetensors.numpy import save_file

    folder = Path(path_of("folder", folder))
    if folder.exists():
        raise ValueError(f"folder is {shown(str(folder))}: it exists already")
    rng = np.random.default_rng(0)
    weights = {
        key: rng.standard_normal(size, dtype=np.float32) / 100
        for key, size in sizes.items()
    }
    folder.mkdir(parents=True)
    save_file(weights, folder / WEIGHTS, {"format": "pt"})
    text = json.dumps(dict(config), indent=1)
    (folder / "adapter_config.json").write_text(text, "utf-8")
    return folder
