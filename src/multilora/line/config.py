"""The YAML file that `vllm serve --config` reads."""

from pathlib import Path
from typing import Any

from multilora.arguments import shown
from multilora.line.flags import flags_version, read_flags


def with_config(values: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return values, behind them those of the --config FILE that they name.

    values are a line's, by vLLM's names. A file that is not here becomes a
    sentence in notes.
    Raises ValueError for a file that is no YAML of vLLM's arguments, or
    where there is no PyYAML to read it.
    """
    if "config" not in values:
        return values
    path = Path(values["config"])
    try:
        is_there = path.is_file()
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        notes.append(
            f"--config {shown(str(path))} is not here: what it says is not "
            "counted"
        )
        return values
    try:
        from multilora.line.config_words import config_words
    except ModuleNotFoundError:  # a browser has no PyYAML
        raise ValueError(
            f"--config {path.name} cannot be read here: PyYAML is not "
            "installed. Write its arguments in the line itself"
        ) from None
    found = read_flags(config_words(path))
    if found.unknown or found.positional:
        wrong = (*found.unknown, *found.positional)[0]
        raise ValueError(
            f"--config {path.name} holds {shown(wrong)}, which is no "
            f"argument of vLLM {flags_version()}"
        )
    return found.values | values
