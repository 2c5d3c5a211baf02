"""A family of models: the description of its layers, read from families/.

Each families/*.toml describes some model_types; blocks.toml holds what
several of them share. The grammar of a line is in families/README.md.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from multilora.models.layers import CACHE_KINDS, KINDS


@dataclass(frozen=True)
class Line:
    """One line of a description: a module or a cache, as formulas."""

    path: str
    kind: str
    sizes: tuple[str, ...]
    options: Mapping[str, str]

    @property
    def condition(self) -> str:
        """The formula that says whether a layer has it."""
        return self.options.get("if", "True")


@dataclass(frozen=True)
class Part:
    """A part of a model: once, or a layer as often as `count` says.

    scope is the field of the config that holds its own fields ("" for those
    of the language model), `types` the model_types that it may name there:
    the first where it names none.
    """

    path: str
    lines: tuple[Line, ...]
    caches: tuple[Line, ...] = ()
    count: str = ""
    scope: str = ""
    types: tuple[str, ...] = ()
    condition: str = "True"
    is_tower: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """The description of one model_type.

    text names the family of the language model that a wrapper holds in its
    field `text_scope`, or, of an older file, beside its own fields where
    is_flat; takes_any_text that this may be another family, if the config
    names one. `prefixes` says how the wrapper calls that model's modules.
    fields are formulas for what a config may leave out, each_layer
    those that depend on the layer's number i, checks what must hold, each
    with a sentence. `config` is the model_type whose configuration class it
    has, defaults and aliases those of a class that transformers does not
    have. `required` are the fields that have no default.
    """

    name: str
    parts: tuple[Part, ...]
    text: str = ""
    text_scope: str = "text_config"
    is_flat: bool = False
    takes_any_text: bool = False
    prefixes: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    each_layer: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    config: str = ""
    required: tuple[str, ...] = ("hidden_size", "num_hidden_layers")
    defaults: Mapping[str, Any] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    served: Mapping[str, Any] = field(default_factory=dict)


def family_names() -> list[str]:
    """Return the model_types that are described, in order."""
    return sorted(_tables()[1].keys() - {"towers"})


@cache
def family(name: str) -> Family:
    """Return the Family of a model_type; KeyError for an unknown one."""
    blocks, tables = _tables()
    table = _inherited(tables, name)
    parts = [
        Part(
            path="",
            lines=_lines(table.get("once", ()), blocks),
        ),
        Part(
            path=table.get("layer_path", "model.layers.*"),
            lines=_lines(table.get("layer", ()), blocks),
            caches=_lines(table.get("cache", ()), blocks),
            count=table.get("count", "num_hidden_layers"),
        ),
    ]
    if "text" in table:
        parts = []
    for tower in table.get("towers", ()):
        parts += _tower(tower, blocks, tables)
    return Family(
        name=name,
        parts=tuple(parts),
        text=table.get("text", ""),
        text_scope=table.get("text_scope", "text_config"),
        is_flat=table.get("is_flat", False),
        takes_any_text=table.get("takes_any_text", False),
        prefixes=table.get("prefixes", {}),
        fields=table.get("fields", {}),
        each_layer=table.get("each_layer", {}),
        checks=tuple(table.get("checks", ())),
        config=tables[name].get("config", name),
        required=tuple(table.get("required", Family.required)),
        defaults=table.get("defaults"),
        aliases=table.get("aliases", {}),
        served=table.get("served", {}),
    )


def _tower(table, blocks, towers):
    """The parts of a tower, those that another table describes for it."""
    types = table.get("types", ())
    parts = [
        Part(
            path=".".join(filter(None, (table["path"], part.get("path")))),
            lines=_with_option(part, _lines(part["lines"], blocks)),
            count=part.get("count", ""),
            scope=table["scope"],
            types=tuple([types] if isinstance(types, str) else types),
            condition=table.get("if", "True"),
            is_tower=True,
            fields={**part.get("fields", {}), **table.get("fields", {})},
        )
        for part in _tower_parts(table, towers)
    ]
    return parts


def _with_option(part, lines):
    """Lines of a layer that vLLM may leave out."""
    if "unused" not in part:
        return lines
    return tuple(
        replace(line, options={**line.options, "unused": part["unused"]})
        for line in lines
    )


def _tower_parts(table, towers):
    if "like" in table:
        return towers["towers"][table["like"]]
    return [{**table, "path": ""}]


@cache
def _tables() -> tuple[dict[str, list[str]], dict[str, Any]]:
    blocks: dict[str, list[str]] = {}
    tables: dict[str, Any] = {}
    for path in sorted(
        files("multilora.models").joinpath("families").iterdir(),
        key=lambda path: path.name,
    ):
        if not path.name.endswith(".toml"):
            continue
        content = tomllib.loads(path.read_text("utf-8"))
        blocks |= content.pop("blocks", {})
        tables.setdefault("towers", {}).update(content.pop("towers", {}))
        tables |= content
    return blocks, tables


def _inherited(tables, name):
    """A family's table over that of the family it is like."""
    table = tables[name]
    if "like" not in table:
        return table
    base = _inherited(tables, table["like"])
    merged = base | table
    for key in ("fields", "each_layer", "prefixes", "served"):
        merged[key] = base.get(key, {}) | table.get(key, {})
    return merged


def _lines(lines: Iterable[str], blocks) -> tuple[Line, ...]:
    """Lines with each block's name replaced by the block's lines."""
    found: list[Line] = []
    for line in lines:
        if "|" in line:
            found.append(_line(line))
        else:
            line, _, condition = line.partition(" if ")
            name, _, change = line.partition(" with ")
            found += [
                _with_condition(_moved(inner, change), condition)
                for inner in _lines(blocks[name.strip()], blocks)
            ]
    return tuple(found)


def _moved(line, change):
    """The line in another place: `change` is OLD=NEW, starts of its path."""
    old, _, new = change.strip().partition("=")
    if not old or not line.path.startswith(f"{old}."):
        return line
    return replace(line, path=new + line.path.removeprefix(old))


def _with_condition(line, condition):
    if not condition:
        return line
    both = f"({line.condition}) and ({condition})"
    return replace(line, options={**line.options, "if": both})


def _line(text):
    """One line: path | kind | sizes | option=formula | ..."""
    path, kind, sizes, *options = (part.strip() for part in text.split("|"))
    if kind not in KINDS + CACHE_KINDS:
        raise ValueError(f"{text!r} has the unknown kind {kind!r}")
    separator = "->" if "->" in sizes else " x "
    named = dict(option.split("=", 1) for option in options)
    return Line(
        path, kind, tuple(part.strip() for part in sizes.split(separator)),
        named,
    )  # fmt: skip
