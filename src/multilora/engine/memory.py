"""Bytes of a running engine, counted in its own tensors."""

from typing import TYPE_CHECKING

from multilora.engine.running import Engine
from multilora.engine.views import KVBlocks

if TYPE_CHECKING:
    from torch import Tensor


def slot_tensors(engine: Engine) -> list["Tensor"]:
    """Return every tensor that holds slots, as torch tensors."""
    found = []
    for module in engine.manager.modules.values():
        for name in _names_of_stacks(module):
            stacked = getattr(module, name)
            is_one = hasattr(stacked, "shape")
            found += [stacked] if is_one else list(stacked)
    return found


def _names_of_stacks(module):
    if hasattr(module, "w13_lora_a_stacked"):
        # A mixture's lora_a_stacked holds views of slot 0 only.
        return [f"{w}_lora_{m}_stacked" for w in ("w13", "w2") for m in "ab"]
    return ["lora_a_stacked", "lora_b_stacked"]


def slot_bytes(engine: Engine) -> int:
    """Return the bytes that the engine allocated for all of its slots."""
    return sum(map(_bytes, slot_tensors(engine)))


def weight_bytes(engine: Engine) -> int:
    """Return the bytes of the base's weights, slots not among them.

    The CPU build packs a linear layer's weight into a form of oneDNN's and
    leaves an empty parameter; then the layer's own input_size and
    output_size say what was packed.
    """
    from vllm.model_executor.layers.linear import LinearBase

    # Slots are plain tensors; parameters() does not list them.
    total = sum(map(_bytes, engine.runner.model.parameters()))
    for module in engine.runner.model.modules():
        if isinstance(module, LinearBase) and not module.weight.numel():
            size = module.weight.element_size()
            total += module.input_size * module.output_size * size
    return total


def kv_blocks(engine: Engine) -> KVBlocks:
    """Return the KVBlocks of a running engine."""
    pool = engine.scheduler.kv_cache_manager.block_pool
    num_bytes = sum(map(_bytes, engine.runner.kv_caches))
    return KVBlocks(
        num_total=pool.num_gpu_blocks,
        num_free=pool.get_num_free_blocks(),
        block_tokens=engine.scheduler.block_size,
        block_bytes=num_bytes // pool.num_gpu_blocks,
    )


def _bytes(tensor):
    return tensor.numel() * tensor.element_size()
