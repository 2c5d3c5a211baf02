"""Is this folder an adapter that this base can serve? Asked before loading.

vLLM refuses many bad adapters, loads others without a word, and is left
half-loaded by a few. These checks read the files and nothing else.
"""

import re
from pathlib import Path

from multilora.adapters import checkpoints
from multilora.adapters.config import Ranks
from multilora.adapters.experts import check_experts
from multilora.adapters.facts import AdapterFacts
from multilora.adapters.foreign import AdapterError
from multilora.adapters.notes import misspelt_of, notes_of
from multilora.adapters.places import Places, places_of
from multilora.adapters.readable import readable
from multilora.adapters.weights import (
    Placed,
    check_weights,
    placed,
    short,
)
from multilora.arguments import integer, shown, text
from multilora.matmul.lora import MAX_RANK
from multilora.models.classes import architecture_of
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.versions import DEFAULT_VERSION, nearest_rule

__all__ = ["AdapterError", "AdapterFacts", "check_adapter", "check_sha256"]

_UNREAD = (
    "only the header of its file was read: whether its weights are NaN or "
    "zero is not known"
)
FINGERPRINT_FILE = "base_sha256.txt"
_MOST_LETTERS = 256  # of that file


def check_adapter(
    folder: str | Path,
    shape: ModelShape,
    max_lora_rank: int,
    base_sha256: str | None = None,
    *,
    vllm_version: str = DEFAULT_VERSION,
    headers_only: bool = False,
) -> AdapterFacts:
    """Return the AdapterFacts of a PEFT folder that fits, or raise.

    shape is the base's ModelShape. base_sha256 is the base's
    base_fingerprint: given, the adapter must carry the same in
    base_sha256.txt. vllm_version decides whether the base is served at all,
    and whether a text-only adapter's names reach a wrapper's layers.
    Modules that vLLM leaves out without a word are in not_applied and in
    notes; if it leaves out all, this raises. headers_only reads the header
    of adapter_model.safetensors alone, which may be all that there is of it:
    NaN and zeros are not looked for, and notes say so.
    Raises AdapterError for what vLLM's loader refuses: a missing or broken
    file, a format or a PEFT method that it does not read, a rank above
    max_lora_rank, modules that the base's class lacks, incomplete experts.
    Raises it also for what vLLM loads: a pickle, tensors of another shape
    or of a layer that the base lacks, weights that are NaN or infinite, an
    adapter that changes nothing, and the wrong base.
    Source: PEFTHelper, LoRAModel and LoRAModelManager of vLLM 0.32.0.
    """
    folder = Path(checkpoints.path_of("folder", folder))
    check_shape(shape)
    max_lora_rank = integer("max_lora_rank", max_lora_rank, 1, MAX_RANK)
    nearest_rule(vllm_version)
    if base_sha256 is not None:
        check_sha256(base_sha256)
    config, ranks, tensors = readable(
        folder, max_lora_rank, headers_only=headers_only
    )
    _check_served(shape, vllm_version)
    places = places_of(shape, vllm_version)
    found = placed(folder.name, tensors, places)
    check_experts(folder.name, found, places, ranks)
    check_weights(folder.name, found, places, ranks, headers_only=headers_only)
    _check_any_applied(folder.name, found, places, vllm_version)
    misspelt = misspelt_of(config, found, places)
    other_ranks, other_scalings = _others(found, ranks)
    notes = notes_of(config, found, places, misspelt, vllm_version)
    facts = AdapterFacts(
        rank=ranks.rank,
        alpha=config["lora_alpha"],
        target_modules=_modules(found, places),
        num_bytes=sum(item.num_bytes for item in tensors.values()),
        base_sha256=_recorded_base(folder),
        scaling=ranks.scale(ranks.rank, ranks.alpha),
        ranks=other_ranks,
        scalings=other_scalings,
        share_applied=len(found.applied) / len(found.modules),
        not_applied=found.not_applied,
        misspelt=misspelt,
        notes=(*notes, _UNREAD) if headers_only else notes,
    )
    if base_sha256 is not None and facts.base_sha256 != base_sha256:
        raise AdapterError(
            f"{folder.name} was trained on base "
            f"{(facts.base_sha256 or 'unknown')[:12]}, but this base is "
            f"{base_sha256[:12]}: serve it on its own base, or train it again"
        )
    return facts


def _check_served(shape, vllm_version):
    try:
        architecture_of(shape, vllm_version)
    except ValueError as error:
        raise AdapterError(f"the base is not served: {error}") from None


def check_sha256(base_sha256: str) -> None:
    """Raise ValueError for a base_sha256 that is no base_fingerprint."""
    if not re.fullmatch("[0-9a-f]{64}", text("base_sha256", base_sha256)):
        raise ValueError(
            f"base_sha256 is {shown(base_sha256)}, but must be the 64 hex "
            "digits of base_fingerprint"
        )


def _check_any_applied(name, found: Placed, places: Places, version):
    if found.applied:
        return
    if not found.modules:
        raise AdapterError(f"{name} holds no lora_A and no lora_B")
    first = short(next(iter(found.modules)))
    raise AdapterError(
        f"{name}: {first} fits no layer of the base, nor does any other "
        f"module: vLLM {version} would load it for {places.class_name} "
        "without a word, apply nothing, and answer as the base does"
    )


def _modules(found: Placed, places: Places):
    names = {
        places.found[found.applied[module]].name
        if module in found.applied
        else module.rsplit(".", 1)[-1]
        for module in found.modules
    }
    return tuple(sorted(names))


def _others(found: Placed, ranks: Ranks):
    """The ranks and the scalings of modules that differ from the usual."""
    scaling = ranks.scale(ranks.rank, ranks.alpha)
    each = {module: ranks.of(module) for module in found.modules}
    return (
        {name: own for name, (own, _) in each.items() if own != ranks.rank},
        {name: own for name, (_, own) in each.items() if own != scaling},
    )


def _recorded_base(folder):
    path = folder / FINGERPRINT_FILE
    if not path.is_file():
        return None
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(_MOST_LETTERS).strip()
