"""An adapter's adapter_config.json: read, and refused by name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multilora.arguments import is_integer, shown

_NOT_COVERED = (
    "use_dora",
    "use_rslora",
    "use_qalora",
    "lora_bias",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
)
# Refused by vLLM 0.32.0, PEFTHelper._validate_features; bias apart.
_REFUSED = ("alora_invocation_tokens", "layer_replication", "use_bdlora")
# These only set the first weights; others change the base as PEFT loads.
_HARMLESS_INITS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
MAX_ALPHA = 1e6


class AdapterError(ValueError):
    """An adapter that must not be served; the message says why."""


def read_config(folder: Path) -> dict[str, Any]:
    """Return adapter_config.json as a dict, or raise AdapterError."""
    path = folder / "adapter_config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise AdapterError(
            f"{folder.name} has no adapter_config.json"
        ) from None
    except (OSError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise AdapterError(f"{folder.name}/adapter_config.json is not JSON")
    return config


def check_config(
    name: str, config: Mapping[str, Any], max_lora_rank: int
) -> int:
    """Return the rank of a config that vLLM can serve, or raise."""
    if config.get("peft_type", "LORA") != "LORA":
        raise AdapterError(
            f"{name} is a {config['peft_type']}, but must be a LORA"
        )
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if not is_integer(rank) or rank < 1:
        raise AdapterError(f"{name} says r = {shown(rank)}, not a rank")
    if (
        alpha is True
        or not isinstance(alpha, int | float)
        or not 0 < alpha < MAX_ALPHA
    ):
        raise AdapterError(
            f"{name} says lora_alpha = {shown(alpha)}, not a scale above 0"
        )
    _check_features(name, config)
    if rank > max_lora_rank:
        raise AdapterError(
            f"{name} has rank {rank}, above max_lora_rank = {max_lora_rank}: "
            "start the engine with a larger one"
        )
    return rank


def _check_features(name, config):
    """Refuse what vLLM 0.32.0 refuses, and what these checks do not know."""
    if config.get("bias", "none") != "none":
        raise AdapterError(f"{name} trains a bias, which vLLM refuses")
    for option in _REFUSED:
        if config.get(option):
            raise AdapterError(f"{name} uses {option}, which vLLM refuses")
    init = config.get("init_lora_weights")
    if isinstance(init, str) and init.lower() not in _HARMLESS_INITS:
        raise AdapterError(
            f"{name} says init_lora_weights = {shown(init)}, which vLLM "
            "refuses: such an init changes the base too; convert it with PEFT"
        )
    for option in _NOT_COVERED:
        if config.get(option):
            raise AdapterError(
                f"{name} uses {option}, which these checks do not cover"
            )
