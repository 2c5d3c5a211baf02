"""Figures that others published, as data with their sources."""

import copy
import json
from dataclasses import replace
from functools import cache
from importlib.resources import files

from multilora.arguments import choice, integer
from multilora.shapes import ModelShape


def published(name):
    """Return one of the data files of the package as plain Python data.

    Each holds its source beside its figures; each call gives a fresh copy.
    Raises ValueError for a name that is none of theirs.
    """
    return copy.deepcopy(_read(choice("name", name, _FILES)))


@cache
def _read(name):
    text = files("multilora").joinpath(f"data/{name}.json").read_text("utf-8")
    return json.loads(text)


_FILES = (
    "models",
    "adapters",
    "startups",
    "worked_examples",
    "load_costs",
    "adapter_loads",
    "load_times",
    "anchors",
    "reconciliation",
    "overhead",
    "benchmarks",
    "slider_speed",
    "step_costs",
    "published_capture",
    "pitches",
)


def model_names():
    """Return the short names of the models whose config.json we ship."""
    return [model["name"] for model in _read("models")]


def model_shape(name, vocab_size=None):
    """Return the ModelShape of a shipped model by its short name.

    vocab_size replaces the model's own, for a base with resized embeddings.
    Raises ValueError for a name that is not in model_names().
    """
    shape = _shipped_shape(choice("name", name, model_names()))
    if vocab_size is None:
        return shape
    vocab_size = integer("vocab_size", vocab_size, minimum=1)
    return replace(shape, vocab_size=vocab_size)


@cache
def _shipped_shape(name):
    (model,) = (item for item in _read("models") if item["name"] == name)
    return ModelShape.from_config(model["config"], name=name)
