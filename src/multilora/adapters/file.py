"""The file that PEFT writes for an adapter: its tensors and its bytes."""

from multilora.adapters.explain import explain_file_bytes
from multilora.adapters.keys import PREFIX
from multilora.adapters.layout import DTYPE_BYTES, Layout, adapter_tensors
from multilora.adapters.sizes import adapter_file_bytes, safetensors_bytes
from multilora.arguments import integer
from multilora.models.shapes import ModelShape, TargetModules, check_shape

__all__ = [
    "DTYPE_BYTES",
    "PREFIX",
    "Layout",
    "adapter_file_bytes",
    "adapter_params",
    "adapter_tensors",
    "explain_file_bytes",
    "safetensors_bytes",
]


def adapter_params(
    shape: ModelShape, rank: int, target_modules: TargetModules
) -> int:
    """Return the number of weights in one adapter of a real model.

    Sum over layers and target modules of rank × (in + out). target_modules
    is a list of linear layers or "all-linear", rank an integer above 0. In a
    mixture an MLP layer counts once an expert, the router not at all.
    Raises ValueError for an unknown module or a rank below 1.
    """
    rank = integer("rank", rank, minimum=1)
    return rank * sum(
        item.num_layers * item.count * (item.in_features + item.out_features)
        for item in check_shape(shape).select(target_modules)
    )
