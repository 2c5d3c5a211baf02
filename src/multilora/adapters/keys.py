"""The keys of an adapter's file, read as vLLM reads them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

PREFIX = "base_model.model."
# What PEFT saves whole beside an adapter, and vLLM skips.
_SKIPPED = (".embed_tokens.base_layer.weight", ".lm_head.base_layer.weight")
_HEADS = ("score", "classifier")


class KeyRead(NamedTuple):
    """One tensor's key: PEFT's module, vLLM's, and which half it is.

    half is "A", "B", or "whole" for a matrix that the adapter replaces.
    """

    module: str
    vllm: str
    half: str


@dataclass(frozen=True)
class Renames:
    """How one of vLLM's classes renames what a checkpoint holds.

    Applied in the order of the fields; a prefix or a text is replaced once.
    Source: WeightsMapper in vLLM 0.32.0, model_executor/models/utils.py.
    """

    regex: Mapping[str, str] = field(default_factory=dict)
    substr: Mapping[str, str] = field(default_factory=dict)
    prefix: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()

    def __call__(self, name: str) -> str:
        """Return vLLM's name of a tensor."""
        for pattern, new in self.regex.items():
            name = re.sub(pattern, new, name)
        for old, new in self.substr.items():
            name = name.replace(old, new, 1)
        for old, new in self.prefix.items():
            if name.startswith(old):
                name = name.replace(old, new, 1)
        return name

    def module(self, path: str) -> str:
        """Return vLLM's name of a module."""
        return self(f"{path}.lora_A.weight").removesuffix(".lora_A.weight")

    def skips(self, key: str) -> bool:
        """Say whether vLLM leaves a key out, such as a draft layer's."""
        return any(
            key.startswith(part) or f".{part}" in key for part in self.skip
        )


def is_base_matrix(key: str) -> bool:
    """Say whether a key is a whole matrix that vLLM skips."""
    return key.endswith(_SKIPPED)


def read_key(key: str, renames: Renames) -> KeyRead | None:
    """Return the KeyRead of a tensor's key, None for one vLLM refuses.

    The prefix base_model.model. may be there once, twice or not at all.
    Source: parse_fine_tuned_lora_name in vLLM 0.32.0, lora/utils.py.
    """
    bare = key.replace(PREFIX, "") if key.startswith(PREFIX) else key
    own, renamed = _split(bare), _split(renames(bare))
    if own is None or renamed is None:
        return None
    return KeyRead(own[0], renamed[0], renamed[1])


def _split(name):
    """Return (module, half) of a tensor's name, or None."""
    parts = name.split(".")
    if parts[-1] in ("lora_embedding_A", "lora_embedding_B"):
        return ".".join(parts[:-1]), parts[-1][-1]
    if len(parts) < 2 or parts[-1] not in ("weight", "bias"):
        return None
    if parts[-2] in ("lora_A", "lora_B") and parts[-1] == "weight":
        return ".".join(parts[:-2]), parts[-2][-1]
    if parts[-2] in _HEADS:
        return parts[-2], "whole"
    return None
