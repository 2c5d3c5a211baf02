"""Where an adapter of a base may have weights, under vLLM's names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from multilora.adapters.keys import Renames
from multilora.models.classes import architecture_of, tables_of
from multilora.models.family import family
from multilora.models.layers import Module
from multilora.models.served import served
from multilora.models.shapes import ModelShape
from multilora.models.versions import nearest_rule
from multilora.published import shared


@dataclass(frozen=True)
class Place:
    """A module that takes an adapter: its widths, and how often it is in.

    A is num_experts * rank x in_features, B out_features x num_experts *
    rank: PEFT keeps all experts of one layer in one pair of matrices. parent
    is the mixture that it is part of, or "".
    """

    name: str
    in_features: int
    out_features: int
    num_experts: int = 1
    parent: str = ""

    def size(self, half: str, rank: int) -> tuple[int, int]:
        """Return the shape of its A or B matrix."""
        rows = rank * self.num_experts
        if half == "A":
            return rows, self.in_features
        return self.out_features, rows


@dataclass(frozen=True)
class Places:
    """Every place of a base for one version of vLLM.

    renames is what its class does to names. leaves are the last parts of
    names that vLLM lets through; one that is let through and is no place is
    not applied, without a word.
    """

    shape: ModelShape
    class_name: str
    renames: Renames
    version: str

    @cached_property
    def served(self) -> Mapping[str, Any]:
        """What its family says of how vLLM serves it."""
        return served(self.shape.architecture, self.shape.language_model)

    @cached_property
    def tables(self) -> frozenset[str]:
        """The embeddings that take an adapter, by vLLM's names."""
        return frozenset(tables_of(self.shape, self.version))

    @cached_property
    def is_fused(self) -> bool:
        """Whether vLLM wants all experts of a layer in one pair."""
        return any(
            module.kind == "gate_up" for _, module in self.shape.modules()
        )

    @cached_property
    def found(self) -> dict[str, Place]:
        """{vLLM's name: Place} of what takes an adapter."""
        found: dict[str, Place] = {}
        for layers in self.shape.language_layers:
            for module in layers.modules:
                for path in layers.places(module):
                    found.update(self._places(path, module))
        return found | dict(self._tied_head())

    @cached_property
    def text_names(self) -> dict[str, str]:
        """{name in the text-only class: vLLM's name}, from 0.33.0 on."""
        prefixes = family(self.shape.architecture).prefixes
        if not nearest_rule(self.version).maps_text_adapters:
            return {}
        found = {}
        for old, new in prefixes.items():
            start = self.renames.module(new) + "."
            for name in self.found:
                if name.startswith(start):
                    found[f"{old}.{name.removeprefix(start)}"] = name
        return found

    @cached_property
    def leaves(self) -> frozenset[str]:
        """The last parts of names that vLLM lets through, experts apart."""
        names = {
            self.renames.module(self._moved(path)).rsplit(".", 1)[-1]
            for layers in self.shape.layers
            for module in layers.modules
            if module.is_linear and not module.is_expert
            if not module.is_unused
            if module.kind not in ("plain", "head")
            for path in layers.places(module)
        }
        return self.tables | names

    @cached_property
    def expert_ends(self) -> frozenset[str]:
        """What may follow in a name from "experts" on."""
        return frozenset(
            place[place.rindex(".experts") + 1 :]
            for place in self.found
            if ".experts" in place
        ) | {"experts"}

    def lets_through(self, name: str) -> bool:
        """Say whether vLLM loads a module of this name at all."""
        if name.rsplit(".", 1)[-1] in self.served.get("refuses", ()):
            return False
        if ".experts" in name:
            return name[name.find(".experts") + 1 :] in self.expert_ends
        return name.rsplit(".", 1)[-1] in self.leaves

    def place_of(self, name: str) -> str | None:
        """Return vLLM's name of the place that it applies a module to."""
        if name in self.found:
            return name
        return self.text_names.get(name)

    def layer_beyond(self, name: str) -> tuple[int, int] | None:
        """Return (layer, layers of the base) if only that is wrong."""
        match = re.search(r"\.([1-9][0-9]*)\.", name)
        if not match or int(match[1]) < self.shape.num_layers:
            return None
        for layer in range(self.shape.num_layers):
            if name[: match.start(1)] + str(layer) + (
                name[match.end(1) :]
            ) in (self.found):
                return int(match[1]), self.shape.num_layers
        return None

    def _moved(self, path):
        """A module's path where vLLM has it elsewhere in the layer."""
        for old, new in self.served.get("paths", {}).items():
            path = path.replace(f".{old}", f".{new}", 1)
        return path

    def _places(self, path: str, module: Module) -> Iterator[Any]:
        if module.is_unused:
            return
        if module.is_table:
            if (module.into or module.name) in self.tables:
                yield self.renames.module(self._moved(path)), _table(module)
        elif module.is_expert:
            yield from self._experts(path, module)
        elif module.is_linear and module.has_slots and module.kind != "plain":
            yield (
                self.renames.module(self._moved(path)),
                Place(module.name, module.in_features, module.out_features),
            )

    def _experts(self, path, module):
        parent, _, name = self._moved(path).rpartition(".")
        sizes = (name, module.in_features, module.out_features)
        if self.is_fused:
            own = parent if module.kind == "w2" else f"{parent}.base_layer"
            own = self.renames.module(own)
            above = self.renames.module(parent)
            yield own, Place(*sizes, module.count, above)
            return
        above = self.renames.module(parent)
        for number in range(module.count):
            each = self.renames.module(f"{parent}.{number}.{name}")
            yield each, Place(*sizes, parent=above)

    def _tied_head(self):
        """lm_head of a model that shares it with the embedding."""
        if self.shape.tied and "lm_head" in self.tables:
            yield (
                self.renames.module("lm_head"),
                Place("lm_head", self.shape.hidden_size,
                      self.shape.vocab_size),
            )  # fmt: skip


def _table(module):
    """An embedding looks rows up: its A has a column for each token."""
    sizes = (module.in_features, module.out_features)
    if module.kind == "table":
        sizes = sizes[::-1]
    return Place(module.name, *sizes)


def places_of(shape: ModelShape, version: str) -> Places:
    """Return the Places of a base that this version serves with LoRA."""
    return shape.remember(
        ("places", version), lambda: _places_of(shape, version)
    )


def _places_of(shape, version):
    name = architecture_of(shape, version)
    rules = dict(shared("vllm_names")["classes"].get(name, {}))
    rules["skip"] = tuple(rules.get("skip", ()))
    return Places(shape, name, Renames(**rules), version)
