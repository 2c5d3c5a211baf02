"""A model as somebody names it: a folder, a Hugging Face id, a short name."""

import difflib
import os
import re
from pathlib import Path

from multilora.arguments import shown, text
from multilora.models.shapes import ModelShape
from multilora.models.shipped import model_names, model_shape
from multilora.published import shared

# Endings of an id that change the weights, and neither shape nor format.
_TRAINED_ON = re.compile(r"(?i)([-_](instruct|chat|it|hf|base|v0\.1))+$")


def shape_named(
    model: str, config_json: str | Path | None = None
) -> tuple[ModelShape, str]:
    """Return (ModelShape, where its config is from) of a model by its name.

    model is what `vllm serve` gets: a folder or a config.json, a Hugging Face
    id or a short name of model_names(). config_json, where given, is read
    instead. An id is looked up in Hugging Face's cache on this machine,
    nothing is fetched; then among the models that come along, by their own
    ids and by its last part, with or without an ending such as -Instruct.
    Raises ValueError for a model of which no config.json is at hand, and as
    ModelShape.from_config does.
    """
    asked = text("model", model).strip()
    if config_json is not None:
        if not isinstance(config_json, str | Path):
            raise TypeError(
                f"config_json is {shown(config_json)}, but must be a path"
            )
        if not _has_config(config_json):
            raise ValueError(
                f"config_json is {shown(str(config_json))}: no such file"
            )
        shape = ModelShape.from_config(config_json, name=asked or None)
        return shape, f"config.json: {config_json}"
    if not asked:
        raise ValueError("model is empty, but must name a model")
    if _is_there(asked):
        if not _has_config(asked):
            raise ValueError(
                f"model is {shown(asked)}, which holds no config.json; give "
                "--config-json FILE"
            )
        return ModelShape.from_config(asked), f"config.json: {asked}"
    if cached := _cached_config(asked):
        shape = ModelShape.from_config(cached, name=asked)
        return shape, f"config.json: Hugging Face's cache, {asked}"
    if shipped := _shipped(asked):
        return model_shape(shipped), _said(asked, shipped)
    raise ValueError(_unknown(asked))


def served_name(model: str) -> str:
    """Return what `vllm serve` gets for a model: of a short name its id.

    A Hugging Face id and a folder stay as they are; of a config.json it is
    the folder.
    """
    asked = text("model", model).strip()
    for row in shared("models"):
        if row["name"] == asked:
            return row["source"].split("huggingface.co/")[-1]
    path = Path(asked)
    if path.suffix == ".json" and _is_there(asked):
        return str(path.parent)
    return asked


def _is_there(name):
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long a name, or a null byte
        return False


def _has_config(path):
    try:
        path = Path(path)
        return path.is_file() or (path / "config.json").is_file()
    except (OSError, ValueError):
        return False


def _cached_config(name):
    """The config.json of the newest snapshot of an id, or None."""
    if not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", name):
        return None
    home = os.environ.get("HF_HOME") or "~/.cache/huggingface"
    hub = os.environ.get("HF_HUB_CACHE") or f"{home}/hub"
    folder = f"models--{name.replace('/', '--')}"
    try:
        found = list(
            (Path(hub).expanduser() / folder / "snapshots").glob(
                "*/config.json"
            )
        )
        return max(found, key=lambda path: path.stat().st_mtime, default=None)
    except (OSError, RuntimeError):
        return None


def _shipped(name):
    """The short name of the shipped model that goes by an id, or None."""
    if name.lower() in _ids():
        return _ids()[name.lower()]
    last = name.rstrip("/").rsplit("/", 1)[-1].lower()
    last = last.removeprefix("meta-")
    known = {short.lower(): short for short in model_names()}
    return known.get(last) or known.get(_TRAINED_ON.sub("", last))


def _ids():
    """{Hugging Face id, in small letters: short name}."""
    return {
        row["source"].split("huggingface.co/")[-1].lower(): row["name"]
        for row in shared("models")
    }


def _said(asked, shipped):
    if asked == shipped or asked.lower() in _ids():
        return f"config.json: that of {shipped}, which comes along"
    return (
        f"config.json: that of {shipped}, which comes along, stands for "
        f"{asked}; give --config-json if yours has another, such as another "
        "max_position_embeddings"
    )


def _unknown(asked):
    if asked.startswith(("$", "<")):
        return f"model is {shown(asked)}: put the model's name in its place"
    last = asked.rsplit("/", 1)[-1]
    near = difflib.get_close_matches(last[:99], model_names(), 2, 0.5)
    also = f" (near it: {', '.join(near)})" if near else ""
    return (
        f"model is {shown(asked)}, of which no config.json is at hand: it is "
        "no folder here, is not in Hugging Face's cache and does not come "
        f"along{also}; give --config-json FILE"
    )
