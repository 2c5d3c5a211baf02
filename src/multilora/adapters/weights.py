"""The tensors of an adapter: put to places of the base, and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from multilora.adapters.checkpoints import CheckpointError, Tensor
from multilora.adapters.config import Ranks
from multilora.adapters.foreign import AdapterError
from multilora.adapters.keys import PREFIX, is_base_matrix, read_key
from multilora.adapters.places import Place, Places

_MOST_SHOWN = 120  # letters of a name in an error


@dataclass
class Placed:
    """An adapter's tensors by module.

    modules maps PEFT's name of each module to {half: tensor}, applied the
    same name to the place in the base; skipped are whole matrices that vLLM
    leaves out.
    """

    modules: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)
    skipped: list[Tensor] = field(default_factory=list)

    @property
    def not_applied(self) -> tuple[str, ...]:
        """The names of the modules that no place was found for."""
        return tuple(name for name in self.modules if name not in self.applied)


def placed(name: str, tensors: Mapping[str, Tensor], places: Places) -> Placed:
    """Return the Placed tensors of an adapter.

    Raises AdapterError, as vLLM refuses it, for a key that is none of an
    adapter, and for a module that the base's class does not have.
    """
    found = Placed()
    vllm_names: dict[str, str] = {}
    for key, tensor in tensors.items():
        if is_base_matrix(key):
            found.skipped.append(tensor)
            continue
        if places.renames.skips(key):
            found.modules.setdefault(key.split(".lora_")[0], {})
            continue
        read = read_key(key, places.renames)
        if read is None or read.half == "whole":
            raise AdapterError(f"{name}: {_why_not(key)}")
        _check_let_through(name, key, read.vllm, places)
        halves = found.modules.setdefault(read.module, {})
        if read.half in halves or (
            vllm_names.setdefault(read.vllm, read.module) != read.module
        ):
            raise AdapterError(f"{name}: {short(key)} stands under two names")
        halves[read.half] = tensor
        if place := places.place_of(read.vllm):
            found.applied[read.module] = place
        elif beyond := places.layer_beyond(read.vllm):
            raise AdapterError(
                f"{name}: {short(key)} is of layer {beyond[0]}; the base has "
                f"{beyond[1]} layers"
            )
    _drop_lone_gate_up(found, places)
    return found


def _drop_lone_gate_up(found, places):
    """gate_up_proj of all experts is applied only beside down_proj."""
    there = set(found.applied.values())
    found.applied = {
        module: vllm
        for module, vllm in found.applied.items()
        if not vllm.endswith(".experts.base_layer")
        or places.found[vllm].parent in there
    }


def short(key: str) -> str:
    """A key without what every key has, cut if it is very long."""
    for prefix in (PREFIX, PREFIX, "model."):
        key = key.removeprefix(prefix)
    key = key.removesuffix(".weight")
    return key if len(key) <= _MOST_SHOWN else f"{key[:_MOST_SHOWN]}..."


def _check_let_through(name, key, vllm, places):
    if ".base_layer." in key or places.lets_through(vllm):
        return
    leaf = vllm.rsplit(".", 1)[-1]
    why = f"fits no layer of the base, as {places.class_name} has it"
    if leaf in ("embed_tokens", "lm_head", "wte"):
        why = f"is of {leaf}, which takes no adapter in {places.class_name}"
    elif ".experts" in vllm:
        why = "is of an expert that the base does not have" + (
            ": its class wants all experts of a layer in one pair of "
            "matrices, as target_parameters makes them"
            if places.is_fused
            else ""
        )
    raise AdapterError(f"{name}: {short(key)} {why}; vLLM refuses it")


def _why_not(key):
    what = short(key)
    if key.endswith(("embed_tokens.weight", "lm_head.weight")):
        return (
            f"{what} is saved in full, which vLLM refuses: save with "
            "save_embedding_layers=False, or, if tokens were added, merge "
            "the adapter into its base"
        )
    if "lora_magnitude_vector" in key:
        return f"{what} is DoRA's, which vLLM refuses"
    if "token_adapter" in key or "trainable_tokens" in key:
        return f"{what} is of trainable_token_indices, which vLLM refuses"
    if key.endswith(("score.weight", "classifier.weight")):
        return f"{what} is a classifier's head; the base writes text"
    return f"{what} is no lora_A or lora_B, which is all that vLLM reads"


def check_weights(
    name: str,
    tensors: Placed,
    places: Places,
    ranks: Ranks,
    *,
    headers_only: bool = False,
) -> None:
    """Raise AdapterError for tensors that would not serve.

    Stricter than vLLM, which loads smaller shapes, NaN and zeros.
    headers_only leaves out what takes the weights: NaN and zeros.
    """
    zeros = set()
    for module, halves in tensors.modules.items():
        place = places.found.get(tensors.applied.get(module, ""))
        for half, tensor in halves.items():
            if place:
                _check_size(name, module, half, tensor, place, ranks)
            _check_dtype(name, tensor)
            if not headers_only and _is_zero(name, tensor):
                zeros.add(module)
        if len(halves) == 1:
            raise AdapterError(
                f"{name}: {short(module)} has only lora_{next(iter(halves))}"
            )
    if zeros and zeros >= tensors.applied.keys():
        raise AdapterError(
            f"{name}: every delta is zero, as before training: it would "
            "answer as the base does"
        )


def _check_size(name, module, half, tensor, place: Place, ranks: Ranks):
    rank, _ = ranks.of(module)
    wanted = place.size(half, rank)
    if tensor.shape != wanted:
        raise AdapterError(
            f"{name}: {short(tensor.name)} is {tensor.shape}, but the base "
            f"and r = {rank} make it {wanted}"
        )


def _check_dtype(name, tensor):
    try:
        tensor.check_dtype()
    except CheckpointError as error:
        raise AdapterError(f"{name}: {error}") from None


def _is_zero(name, tensor):
    """Whether all weights of a tensor are zero; raises for NaN."""
    try:
        values = tensor.values()
    except CheckpointError as error:
        raise AdapterError(f"{name}: {error}") from None
    num_bad = np.count_nonzero(~np.isfinite(values))
    if num_bad:
        raise AdapterError(
            f"{name}: {short(tensor.name)} holds {num_bad} NaN or infinite "
            "weights"
        )
    return not values.any()
