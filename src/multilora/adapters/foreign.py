"""Adapters in formats that vLLM does not read: named, with a way out."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_JAX_FILES = (
    "*.msgpack",
    "*.orbax*",
    "*.npz",
    "_METADATA",
    "_CHECKPOINT_METADATA",
    "checkpoint",
    "manifest.ocdbt",
)
_PICKLES = (
    "adapter_model.bin",
    "adapter_model.pt",
    "pytorch_lora_weights.bin",
)
WEIGHTS = "adapter_model.safetensors"


class AdapterError(ValueError):
    """An adapter that must not be served; the message says why."""


def check_foreign(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise AdapterError for a folder of mlx-lm's or of JAX, by its files.

    config is its adapter_config.json, {} where there is none.
    """
    has_peft = (folder / WEIGHTS).exists()
    is_mlx = (folder / "adapters.safetensors").exists() and not has_peft
    if is_mlx or "lora_parameters" in config:
        raise AdapterError(
            f"{folder.name} is an adapter of mlx-lm, which vLLM does not "
            "read: transpose each lora_a and lora_b, rename them to "
            "base_model.model.MODULE.lora_A.weight and .lora_B.weight, and "
            "write r, lora_alpha = scale * r and target_modules; or fuse it "
            "into its base with mlx_lm.fuse"
        )
    if has_peft:
        return
    for pattern in _JAX_FILES:
        if next(folder.glob(pattern), None) is not None:
            raise AdapterError(
                f"{folder.name} is a checkpoint of JAX, which vLLM does not "
                "read: load it in JAX, transpose the kernels, and save them "
                "as safetensors under PEFT's names, "
                "base_model.model.MODULE.lora_A.weight"
            )


def check_foreign_keys(name: str, keys: Iterable[str]) -> None:
    """Raise AdapterError for tensors under mlx-lm's or JAX's names."""
    for key in keys:
        if key.endswith((".lora_a", ".lora_b")):
            raise AdapterError(
                f"{name} holds {key[:120]}, as mlx-lm writes it: vLLM reads "
                "only PEFT's .lora_A.weight, which is its transpose"
            )
        if "/" in key or key.endswith((".kernel", ".embedding")):
            raise AdapterError(
                f"{name} holds {key[:120]}, as JAX writes it: vLLM reads only "
                "PEFT's .lora_A.weight, which is its transpose"
            )


def check_pickle(folder: Path) -> None:
    """Raise AdapterError for a folder with a pickle and no safetensors."""
    for file in _PICKLES:
        if (folder / file).is_file():
            raise AdapterError(
                f"{folder.name} is a pickle, {file}, which can run code when "
                "it is read: load it with torch.load(weights_only=True) and "
                "save it as adapter_model.safetensors with "
                "safetensors.torch.save_file"
            )
