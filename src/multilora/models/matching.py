"""Which modules a checkpoint's list names, matched as vLLM matches it.

A list names modules as some version of transformers does, which puts
"model." and "language_model." before a path in more than one order; so both
sides are compared without those parts at their start.
"""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatch

_PREFIXES = ("model", "language_model")


def bare(path: str) -> str:
    """Return a path without the parts that wrappers put at its start."""
    parts = path.split(".")
    while len(parts) > 1 and parts[0] in _PREFIXES:
        parts = parts[1:]
    return ".".join(parts)


def spellings(path: str) -> set[str]:
    """Return a path as it is, and as other versions spell it."""
    own = bare(path)
    if own.startswith("lm_head"):
        return {path, own, f"language_model.{own}"}
    starts = ("", "model.", "language_model.model.", "model.language_model.")
    return {path, *(start + own for start in starts)}


def exactly(path: str, entries: Iterable[str]) -> bool:
    """is_layer_skipped of vLLM's quant_utils.py, match_mode "exact".

    Of experts any entry that holds their path counts.
    """
    own = bare(path)
    if own.endswith(".experts"):
        return any(own in entry for entry in entries if "experts" in entry)
    return any(own == bare(entry) for entry in entries)


def by_substring(path: str, entries: Iterable[str]) -> bool:
    """The same function with match_mode "substring" (AWQ)."""
    names = spellings(path)
    return any(entry in name for entry in entries for name in names)


def by_part(path: str, entries: Iterable[str]) -> bool:
    """is_layer_skipped_bnb: an entry is one part of a path, or its start."""
    parts = bare(path).split(".")
    starts = {".".join(parts[: at + 1]) for at in range(len(parts))}
    return any(
        entry in path.split(".") or bare(entry) in starts for entry in entries
    )


def by_wildcard(path: str, entries: Iterable[str]) -> bool:
    """ModelOptQuantConfigBase.is_layer_excluded: substring or wildcard."""
    names = spellings(path)
    return any(
        entry in name or fnmatch(name, entry)
        for entry in entries
        for name in names
    )


def by_pattern(path: str, entries: Iterable[str]) -> bool:
    """is_equal_or_regex_match (config_utils.py): a path, or "re:..."."""
    names = spellings(path)
    for entry in entries:
        if entry.startswith("re:"):
            if any(re.match(entry[3:], name) for name in names):
                return True
        elif bare(entry) == bare(path):
            return True
    return False


Matcher = Callable[[str, Iterable[str]], bool]
