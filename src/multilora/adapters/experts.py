"""Adapters of a mixture's experts: what vLLM can put together, and not."""

from multilora.adapters.config import Ranks
from multilora.adapters.foreign import AdapterError
from multilora.adapters.places import Places
from multilora.adapters.weights import Placed, short


def check_experts(
    name: str, tensors: Placed, places: Places, ranks: Ranks
) -> None:
    """Raise AdapterError for experts that vLLM cannot put together.

    It wants all experts of a layer, or none, and one rank a projection; or,
    where its class keeps them in one pair, both pairs of the layer.
    """
    parents = {place.parent for place in places.found.values()} - {""}
    _check_fused_on_single(name, tensors, places, parents)
    there = set(tensors.applied.values())
    ranks_seen: dict[tuple[str, str], int] = {}
    for module, vllm in tensors.applied.items():
        place = places.found[vllm]
        if not place.parent:
            continue
        if places.is_fused:
            if not {vllm, f"{place.parent}.base_layer"} <= there:
                raise AdapterError(
                    f"{name}: {short(module)} has down_proj without "
                    "gate_up_proj; vLLM wants both of a layer, or none"
                )
            continue
        rank, _ = ranks.of(module)
        if ranks_seen.setdefault((place.parent, place.name), rank) != rank:
            raise AdapterError(
                f"{name}: experts of {place.parent} differ in rank at "
                f"{place.name}, which vLLM refuses"
            )
    if not places.is_fused:
        _check_complete(name, places, there)


def _check_complete(name, places, there):
    touched = {places.found[vllm].parent for vllm in there} - {""}
    for vllm, place in places.found.items():
        if place.parent in touched and vllm not in there:
            raise AdapterError(
                f"{name} lacks {vllm}: vLLM wants gate, up and down of every "
                "expert of a layer, or of none"
            )


def _check_fused_on_single(name, tensors, places, parents):
    if places.is_fused:
        return
    for module in tensors.modules:
        if places.renames.module(module) in parents:
            raise AdapterError(
                f"{name}: {short(module)} holds all experts in one matrix, "
                "which vLLM refuses here unless it starts with "
                "--enable-mixed-moe-lora-format and the request says "
                "is_3d_lora_weight; or train each expert's layers"
            )
