"""A base of a real model's shape without weights, and adapters for it."""

import json
from pathlib import Path

import numpy as np

from multilora import tenants
from multilora.adapters.file import adapter_tensors
from multilora.models.shapes import ALL_LINEAR, ModelShape
from multilora.published import published


def write_base(folder: Path, model: str) -> None:
    """Write a config.json: of a shipped model's name, or 'small base'."""
    folder.mkdir()
    if model == "small base":
        text = (tenants.folder_of("base") / "config.json").read_text("utf-8")
    else:
        (found,) = (m for m in published("models") if m["name"] == model)
        text = json.dumps(found["config"])
    (folder / "config.json").write_text(text)


def write_adapter(folder: Path, shape: ModelShape, rank: int) -> None:
    """Write a PEFT adapter of small random weights on all linear layers."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    weights = {
        name: rng.normal(0, 1e-3, size).astype(np.float16)
        for name, (_, size) in adapter_tensors(
            shape, rank, "all-linear", "F16"
        ).items()
    }
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "r": rank,
        "lora_alpha": rank,
        "target_modules": list(ALL_LINEAR),
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
