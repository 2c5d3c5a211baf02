"""Which modules a quantisation covers, and the fields that say so, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multilora.arguments import choice, integer, shown
from multilora.models.formats import Format
from multilora.models.layers import Module
from multilora.models.matching import Matcher, exactly

BITS = (2, 3, 4, 8)
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A format (None: 16 bits), and which modules have it.

    only is "experts", "linears" (all but experts) or "". skips and targets
    are names as `matches` compares them: a module that skips name keeps 16
    bits, and only one that targets name, if there are any, has the format.
    """

    format: Format | None
    matches: Matcher = exactly
    skips: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    only: str = ""
    has_head: bool = False
    has_towers: bool = True

    def fits(
        self, merged: str, parts: Sequence[str], module: Module, tower: bool
    ) -> bool:
        """True if the modules that vLLM merges into one have this format."""
        if module.kind == "head" and not self.has_head:
            return False
        if tower and not self.has_towers:
            return False
        if self.only and (self.only == "experts") != module.is_expert:
            return False
        if self._names(self.skips, "16 bits", merged, parts):
            return False
        return not self.targets or self._names(
            self.targets, "this format", merged, parts
        )

    def _names(self, entries, what, merged, parts):
        """True if entries name the merged module, or all of its parts."""
        if not entries:
            return False
        if self.matches(merged, entries):
            return True
        named = [self.matches(part, entries) for part in parts]
        if any(named) and not all(named):
            raise ValueError(
                f"quantization_config gives some parts of {merged} {what} "
                f"and others not ({', '.join(parts)}), but must give all of "
                "them the same: vLLM merges them"
            )
        return bool(named) and all(named)


@dataclass(frozen=True)
class Said:
    """What one quantization_config says."""

    rules: tuple[Rule, ...]
    kv_cache_dtype: str = "auto"


def check_object(name: str, value: object) -> Mapping[str, Any]:
    """Return value if it is an object of JSON, or raise TypeError."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is {shown(value)}, but must be an object")
    return value


def names_in(fields: Fields, *keys: str) -> tuple[str, ...]:
    """Return the first list of names that is there; () for none."""
    for key in keys:
        value = fields.get(key)
        if value is None:
            continue
        is_list = isinstance(value, list | tuple)
        if not is_list or not all(isinstance(name, str) for name in value):
            raise TypeError(
                f"{key} is {shown(value)}, but must be a list of names"
            )
        if value:
            return tuple(value)
    return ()


def flag_in(fields: Fields, key: str, default: bool) -> bool:
    """Return True or False, or the default where it is absent."""
    value = fields.get(key)
    return choice(key, default if value is None else value, (True, False))


def needed(fields: Fields, *keys: str) -> tuple[str, Any]:
    """Return (name, value) of the first field that is there."""
    for key in keys:
        if fields.get(key) is not None:
            return key, fields[key]
    raise ValueError(
        f"quantization_config lacks {keys[0]!r}; fields: {sorted(fields)[:9]}"
    )


def bits_in(fields: Fields, *keys: str, allowed: Sequence[int] = BITS) -> int:
    """Return the bits of a weight; one of the fields must be there."""
    key, value = needed(fields, *keys)
    return choice(key, value, allowed)


def group_in(fields: Fields, *keys: str) -> int:
    """Return the inputs that share a scale, -1 for all of a row."""
    key, value = needed(fields, *keys)
    size = integer(key, value, minimum=-1)
    if size == 0:
        raise ValueError(f"{key} is 0, but must be -1 or at least 1")
    return size


def block_of(name: str, value: object) -> tuple[int, int]:
    """Return the rows and columns that share a scale."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{name} is {shown(value)}, but must be two integers")
    rows, columns = (integer(f"{name}[{i}]", v, 1) for i, v in
                     enumerate(value))  # fmt: skip
    return rows, columns


def check_pattern(name: str, text: str) -> None:
    """Raise ValueError for what is no regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(
            f"{name} is {shown(text)}, but must be a regular expression: "
            f"{error}"
        ) from None


def kv_scheme(fields: Fields) -> str | None:
    """Return "FP8" where kv_cache_scheme says so."""
    scheme = fields.get("kv_cache_scheme")
    if scheme is None:
        return None
    scheme = check_object("kv_cache_scheme", scheme)
    is_fp8 = scheme.get("type") == "float" and scheme.get("num_bits") == 8
    return "FP8" if is_fp8 else None
