"""The bill: what adapters weigh, what slots reserve, what sharing saves.

The first five functions take a square model (hidden × hidden projections),
as textbooks do. The rest take a ModelShape, read from a real config.json.
"""

from multilora.adapters.file import adapter_file_bytes, adapter_params
from multilora.arguments import integer
from multilora.memory.kv import kv_bytes_per_token
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import (
    ModelShape,
    TargetModules,
    check_dense,
)
from multilora.units import GIB

__all__ = [
    "adapter_bytes",
    "adapter_file_bytes",
    "adapter_params",
    "adapters_per_gib",
    "base_flops_per_token",
    "delta_flops_per_token",
    "engines_needed",
    "gpus_saved",
    "kv_bytes_per_token",
    "lora_params_per_layer",
    "shrink_ratio",
    "slot_reservation_bytes",
]


def lora_params_per_layer(
    in_features: int, out_features: int, rank: int
) -> int:
    """Return the weights of one adapted matrix: rank × (in + out).

    A is (rank, in), B is (out, rank). Raises ValueError below 1.
    """
    in_features = integer("in_features", in_features, minimum=1)
    out_features = integer("out_features", out_features, minimum=1)
    return integer("rank", rank, minimum=1) * (in_features + out_features)


def adapter_bytes(
    hidden: int,
    layers: int,
    rank: int,
    targets: int = 4,
    bytes_per_param: int = 2,
) -> int:
    """Return the bytes of an adapter on a square model.

    `targets` matrices of hidden × hidden in each layer; four are q, k, v
    and o without grouped queries. Raises ValueError below 1.
    """
    per_matrix = lora_params_per_layer(
        integer("hidden", hidden, minimum=1), hidden, rank
    )
    layers = integer("layers", layers, minimum=1)
    targets = integer("targets", targets, minimum=1)
    width = integer("bytes_per_param", bytes_per_param, minimum=1)
    return per_matrix * targets * layers * width


def adapters_per_gib(
    hidden: int,
    layers: int,
    rank: int,
    targets: int = 4,
    bytes_per_param: int = 2,
) -> float:
    """Return how many such adapters fit one GiB, as a float."""
    return GIB / adapter_bytes(hidden, layers, rank, targets, bytes_per_param)


def shrink_ratio(
    base_params: int, hidden: int, layers: int, rank: int, targets: int = 4
) -> float:
    """Return base parameters over adapter parameters, as a float."""
    base_params = integer("base_params", base_params, minimum=1)
    return base_params / adapter_bytes(hidden, layers, rank, targets, 1)


def engines_needed(tenants: int, max_loras: int) -> int:
    """Return the floor: engines so that each tenant has a slot of its own.

    ceil(tenants / max_loras). Load can need more: see multilora.fleet.sizing.
    """
    tenants = integer("tenants", tenants, minimum=1)
    return -(-tenants // integer("max_loras", max_loras, minimum=1))


def gpus_saved(tenants: int, max_loras: int) -> int:
    """Return GPUs saved against one engine for each tenant, at the floor."""
    return integer("tenants", tenants, minimum=1) - engines_needed(
        tenants, max_loras
    )


def base_flops_per_token(shape: ModelShape) -> int:
    """Return FLOPs of the base's linear layers for one token.

    Two a weight (multiply and add); attention scores and lm_head apart.
    """
    return 2 * check_dense(shape).linear_params


def delta_flops_per_token(
    shape: ModelShape, rank: int, target_modules: TargetModules = "all-linear"
) -> int:
    """Return FLOPs that one adapter adds for one token: two a weight."""
    return 2 * adapter_params(check_dense(shape), rank, target_modules)
