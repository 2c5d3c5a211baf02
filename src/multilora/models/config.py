"""A Hugging Face config.json: found, read, its fields checked."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multilora.arguments import choice, integer, shown
from multilora.nested import json_value

_MAX_BYTES = 2**26  # of a config.json; it is read as a whole


class ConfigNotFoundError(FileNotFoundError, ValueError):
    """The given path holds no config.json."""


def read_config(
    path_or_dict: str | Path | dict[str, Any],
) -> tuple[dict[str, Any], str]:
    """Return (fields, where they came from) of a file, folder or dict."""
    if isinstance(path_or_dict, dict):
        return path_or_dict, "unnamed"
    if not isinstance(path_or_dict, str | Path):
        raise TypeError(
            f"path_or_dict is {shown(path_or_dict)}, but must be a path to "
            "a config.json, a folder that holds one, or its content as a dict"
        )
    path = Path(path_or_dict)
    try:
        path = path / "config.json" if path.is_dir() else path
        is_there = path.is_file()
    except (OSError, ValueError):  # too long a name, or a null byte
        is_there = False
    if not is_there:
        raise ConfigNotFoundError(
            f"path_or_dict is {shown(str(path_or_dict))}: no such file; "
            "give a config.json or a folder that holds one"
        )
    config = _json_object(path)
    return _with_beside(config, path), path.resolve().parent.name


def _json_object(path):
    """The object that a file of JSON holds."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"it has more than {_MAX_BYTES >> 20} MiB")
        found = json_value(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {shown(found)}, but must be an object")
    return found


def _with_beside(config, path):
    """The config, with what hf_quant_config.json beside it says.

    ModelOpt before 0.31 wrote its fields there; vLLM reads that file where
    config.json has no quantization_config (transformers_utils/config.py).
    """
    beside = path.with_name("hf_quant_config.json")
    is_named = path.name == "config.json"
    said = config.get("quantization_config")
    if said is not None or not is_named or not beside.is_file():
        return config
    return {**config, "quantization_config": _json_object(beside)}


def field(
    config: Mapping[str, Any], key: str, default: int | None = None
) -> int:
    """Return a whole number above 0, or the default where it is absent."""
    value = config.get(key)
    if value is None and default is None:
        raise ValueError(f"config lacks {key!r}; fields: {sorted(config)[:9]}")
    value = default if value is None else value
    if isinstance(value, float) and math.isfinite(value) and value % 1 == 0:
        value = int(value)
    return integer(key, value, minimum=1)


def flag(config: Mapping[str, Any], key: str, default: bool) -> bool:
    """Return True or False, or the default where it is absent."""
    value = config.get(key)
    return choice(key, default if value is None else value, (True, False))
