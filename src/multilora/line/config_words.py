"""A YAML file of vLLM's arguments, as the words of a line."""

import json
from pathlib import Path

import yaml

from multilora.line.flags import near_flag

_MAX_CONFIG_BYTES = 2**17
_MAX_NESTED = 50  # PyYAML takes minutes where brackets are thousands deep


def config_words(path: Path) -> list[str]:
    """Return a YAML file's keys as arguments, as vLLM takes them.

    Raises ValueError for a file that is no YAML of keys and values, is
    larger than 128 KiB, nested too deep, or refers to itself.
    """
    try:
        if path.stat().st_size > _MAX_CONFIG_BYTES:
            raise ValueError("it is larger than 128 KiB")
        content = path.read_text("utf-8")
        _check_tokens(content)
        fields = yaml.safe_load(content)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        why = " ".join(str(error).split())[:160]
        raise ValueError(f"--config {path.name} is no YAML: {why}") from None
    if not isinstance(fields, dict):
        raise ValueError(
            f"--config {path.name} must hold keys and values, such as "
            "max-loras: 8"
        )
    words = []
    for key, value in fields.items():
        name = f"--{key}"
        if value is True:
            words.append(name)
        elif value is False:
            words += _no(name)
        elif isinstance(value, list):
            words += [name, *map(str, value)] if value else []
        elif isinstance(value, dict):
            words += [name, json.dumps(value, default=str)]
        else:
            words += [name, str(value)]
    return words


def _check_tokens(content):
    """Refuse what a small file would make large or slow."""
    starts = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
    ends = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
    depth = 0
    for token in yaml.scan(content):
        depth += isinstance(token, starts) - isinstance(token, ends)
        if depth > _MAX_NESTED:
            raise ValueError(f"it is nested more than {_MAX_NESTED} deep")
        if isinstance(token, yaml.AliasToken):
            raise ValueError("it refers to itself with *")


def _no(name):
    """--no-x, where there is one; else a switch that is off is left out."""
    opposite = f"--no-{name[2:].replace('_', '-')}"
    return [opposite] if near_flag(opposite) == opposite else []
