"""An adapter's adapter_config.json: read, and refused by name."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multilora.adapters.foreign import AdapterError, check_foreign
from multilora.arguments import is_integer, shown
from multilora.nested import json_value

__all__ = ["AdapterError", "Ranks", "check_config", "ranks_of", "read_config"]

# Refused by vLLM 0.32.0, PEFTHelper._validate_features; bias apart.
_REFUSED = (
    "use_dora",
    "lora_bias",
    "use_qalora",
    "alora_invocation_tokens",
    "layer_replication",
    "use_bdlora",
)
# These only set the first weights; others change the base as PEFT loads.
_HARMLESS_INITS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
_HEADS = ("classifier", "score")
# Without a value of its own in vLLM's PEFTHelper.
_REQUIRED = ("r", "lora_alpha", "target_modules")
MAX_ALPHA = 1e6
_MAX_BYTES = 2**24
_MAX_PATTERN = 500
# Repeated groups, and many repeats, may take for ever to match.
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_MAX_REPEATS = 3


@dataclass(frozen=True)
class Ranks:
    """The rank and scale of each module.

    A pattern's key is the end of a module's name, from a dot on, and may be
    a regular expression; the first that fits counts. The scale is alpha /
    rank, with rsLoRA alpha / sqrt(rank).
    Source: get_rank_and_scaling in vLLM 0.32.0, lora/peft_helper.py.
    """

    rank: int
    alpha: float
    use_rslora: bool = False
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    alpha_pattern: Mapping[str, float] = field(default_factory=dict)

    @property
    def largest(self) -> int:
        """The rank that counts against max_lora_rank."""
        return max(self.rank, *self.rank_pattern.values(), 1)

    def of(self, module: str) -> tuple[int, float]:
        """Return (rank, scale) of a module by PEFT's name."""
        if module.endswith(".experts.base_layer"):
            module = module.removesuffix(".base_layer") + ".gate_up_proj"
        elif module.endswith(".experts"):
            module += ".down_proj"
        rank = _matched(self.rank_pattern, module, self.rank)
        alpha = _matched(self.alpha_pattern, module, self.alpha)
        return rank, self.scale(rank, alpha)

    def scale(self, rank: int, alpha: float) -> float:
        """Return what vLLM multiplies a delta by."""
        return alpha / (math.sqrt(rank) if self.use_rslora else rank)


def _matched(patterns, module, default):
    for pattern, value in patterns.items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default


def read_config(folder: Path) -> dict[str, Any]:
    """Return adapter_config.json as a dict, or raise AdapterError."""
    path = folder / "adapter_config.json"
    config = None
    try:
        if path.stat().st_size <= _MAX_BYTES and path.is_file():
            config = json_value(path.read_text("utf-8"))
    except FileNotFoundError:
        check_foreign(folder, {})
        raise AdapterError(
            f"{folder.name} has no adapter_config.json"
        ) from None
    except (OSError, ValueError, RecursionError):
        pass
    if not isinstance(config, dict):
        raise AdapterError(f"{folder.name}/adapter_config.json is not JSON")
    check_foreign(folder, config)
    return config


def check_config(
    name: str, config: Mapping[str, Any], max_lora_rank: int
) -> int:
    """Return the rank of a config that vLLM can serve, or raise."""
    return ranks_of(name, config, max_lora_rank).rank


def ranks_of(
    name: str, config: Mapping[str, Any], max_lora_rank: int
) -> Ranks:
    """Return the Ranks of a config that vLLM can serve.

    Raises AdapterError for what vLLM refuses in a config, and for a rank or
    scale that is none.
    """
    if config.get("peft_type", "LORA") != "LORA":
        raise AdapterError(
            f"{name} is a {shown(config['peft_type'])[:60].strip(chr(39))}, "
            "but must be a LORA"
        )
    _check_required(name, config)
    rank, alpha = config["r"], config["lora_alpha"]
    if not is_integer(rank) or rank < 1:
        raise AdapterError(f"{name} says r = {shown(rank)}, not a rank")
    if not _is_scale(alpha):
        raise AdapterError(
            f"{name} says lora_alpha = {shown(alpha)}, not a scale above 0"
        )
    _check_features(name, config)
    ranks = Ranks(
        rank=int(rank),
        alpha=alpha,
        use_rslora=bool(config.get("use_rslora")),
        rank_pattern=_pattern(name, config, "rank_pattern", _is_rank),
        alpha_pattern=_pattern(name, config, "alpha_pattern", _is_scale),
    )
    if ranks.largest > max_lora_rank:
        raise AdapterError(
            f"{name} has rank {ranks.largest}, above max_lora_rank = "
            f"{max_lora_rank}: start the engine with a larger one"
        )
    return ranks


def _check_required(name, config):
    missing = [key for key in _REQUIRED if key not in config]
    if missing:
        raise AdapterError(
            f"{name}'s adapter_config.json lacks {', '.join(missing)}, which "
            "vLLM requires: add what the adapter was trained with"
        )


def _is_rank(value):
    return is_integer(value) and value >= 1


def _is_scale(value):
    is_number = isinstance(value, int | float) and value is not True
    return is_number and 0 < value < MAX_ALPHA


def _pattern(name, config, option, is_allowed):
    """A pattern's keys, checked to be regular expressions that end."""
    patterns = config.get(option) or {}
    if not isinstance(patterns, dict):
        raise AdapterError(
            f"{name} says {option} = {shown(patterns)}, not an object"
        )
    for key, value in patterns.items():
        if not is_allowed(value):
            raise AdapterError(
                f"{name} says {option}[{shown(key)}] = {shown(value)}, not a "
                f"{'rank' if option == 'rank_pattern' else 'scale above 0'}"
            )
        try:
            re.compile(rf"(.*\.)?({key})$")
            is_sound = _is_quick(key)
        except (re.error, RecursionError, OverflowError):
            is_sound = False
        if not is_sound:
            raise AdapterError(
                f"{name} says {option}[{shown(key)}], which is no regular "
                "expression that is safe to match"
            )
    return patterns


def _is_quick(pattern):
    num_repeats = sum(pattern.count(sign) for sign in "*+{")
    return (
        len(pattern) <= _MAX_PATTERN
        and num_repeats <= _MAX_REPEATS
        and not _REPEATED_GROUP.search(pattern)
    )


def _check_features(name, config):
    """Refuse what vLLM 0.32.0 refuses."""
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
    saved = config.get("modules_to_save") or []
    if not isinstance(saved, list) or set(map(str, saved)) - set(_HEADS):
        raise AdapterError(
            f"{name} uses modules_to_save = {shown(saved)}, which vLLM "
            "refuses: train a LoRA of these modules, or merge the adapter"
        )
