"""Sentences on what an operator may not expect of an adapter that loads."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from multilora.adapters.keys import PREFIX
from multilora.adapters.places import Places
from multilora.adapters.weights import Placed, short
from multilora.models.family import family


def misspelt_of(
    config: Mapping[str, Any], found: Placed, places: Places
) -> tuple[str, ...]:
    """Return the targets that neither the file nor the base has.

    A target names a module, or the end of its path from a dot on, as in
    PEFT. A regular expression as target_modules is not judged.
    """
    every = _base_paths(places) | _file_paths(found)
    return tuple(
        target for target in _targets(config) if not _is_named(target, every)
    )


def notes_of(
    config: Mapping[str, Any],
    found: Placed,
    places: Places,
    misspelt: tuple[str, ...],
    vllm_version: str,
) -> tuple[str, ...]:
    """Return sentences, the gravest first."""
    notes = []
    if found.not_applied:
        notes.append(_on_not_applied(found, places, vllm_version))
    known = {path.rsplit(".", 1)[-1] for path in _base_paths(places)}
    for target in misspelt:
        close = difflib.get_close_matches(target, sorted(known), 1)
        hint = f"; {close[0]} is the nearest name" if close else ""
        notes.append(
            f"target_modules names {target!r}, which the base does not have"
            f"{hint}: nothing was trained there"
        )
    there = _file_paths(found)
    missing = [
        target
        for target in _targets(config)
        if target not in misspelt and not _is_named(target, there)
    ]
    if missing:
        notes.append(
            f"the file has no tensors of {', '.join(map(repr, missing))}, "
            "though target_modules names them"
        )
    notes += [
        f"vLLM skips {short(tensor.name)}, {tensor.num_bytes:,} bytes: it "
        "serves the base's own" + _rows(tensor, places)
        for tensor in found.skipped
    ]
    return tuple(notes)


def _rows(tensor, places):
    rows = tensor.shape[0] if tensor.shape else 0
    vocab = places.shape.vocab_size
    if rows == vocab:
        return ""
    return f", of {vocab:,} rows where this has {rows:,}"


def _on_not_applied(found: Placed, places: Places, version):
    names = found.not_applied
    text = (
        f"vLLM {version} loads {len(names)} of {len(found.modules)} modules "
        f"and applies them nowhere in {places.class_name}, such as "
        f"{short(names[0])}"
    )
    prefixes = family(places.shape.architecture).prefixes
    if any(_is_text_name(name, places, prefixes) for name in names):
        old, new = next(iter(prefixes.items()))
        return (
            f"{text}: they have the text-only class's names; rename "
            f"{PREFIX}{old}. to {PREFIX}{new}., or serve with vLLM 0.33.0"
        )
    towers = tuple(
        f"{layers.path.split('.*')[0]}."
        for layers in places.shape.layers
        if layers.is_tower
    )
    if towers and all(name.startswith(towers) for name in names):
        return (
            f"{text}: they are of a tower, which vLLM adapts only with "
            "--enable-tower-connector-lora, and not in every class"
        )
    return text


def _is_text_name(name, places, prefixes):
    """Whether a module would be applied under the wrapper's name."""
    for old, new in prefixes.items():
        if name.startswith(f"{old}."):
            full = f"{new}{name.removeprefix(old)}"
            return places.renames.module(full) in places.found
    return False


def _targets(config):
    targets = config.get("target_modules")
    parameters = config.get("target_parameters") or ()
    targets = targets if isinstance(targets, list) else []
    if isinstance(parameters, list):
        targets = [*targets, *parameters]
    return [target for target in targets if isinstance(target, str)]


def _is_named(target, paths):
    target = _starred(target)
    return any(path == target or path.endswith(f".{target}") for path in paths)


def _starred(path):
    """A path with "*" for each number."""
    return re.sub(r"(?<![^.])[0-9]+(?![^.])", "*", path)


def _file_paths(found: Placed):
    """The modules of a file, and the parameters that PEFT trains there."""
    paths = {_starred(module) for module in found.modules}
    for path in tuple(paths):
        paths.add(f"{path}.weight")
        if path.endswith(".experts.base_layer"):
            paths.add(path.removesuffix(".base_layer") + ".gate_up_proj")
        elif path.endswith(".experts"):
            paths.add(f"{path}.down_proj")
    return paths


def _base_paths(places: Places):
    """Every module's path, and the parameters that hold all experts."""
    paths = set()
    for layers in places.shape.layers:
        for module in layers.modules:
            path = ".".join(filter(None, (layers.path, module.path)))
            paths |= {path, f"{path}.weight"}
            if module.is_expert:
                above = path.rpartition(".")[0]
                paths |= {f"{above}.gate_up_proj", f"{above}.down_proj"}
    return paths | {"lm_head"}
