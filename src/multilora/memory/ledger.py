"""Where a card's memory goes: base weights, adapter slots, KV blocks."""

from dataclasses import dataclass

from multilora.arguments import finite_number, integer
from multilora.memory.economics import kv_bytes_per_token
from multilora.memory.reservation import (
    DEFAULT_VERSION,
    slot_reservation_bytes,
)
from multilora.models.shapes import ModelShape, TargetModules, check_shape
from multilora.units import GIB

BLOCK_TOKENS = 16  # vLLM's default KV block on CUDA


@dataclass(frozen=True)
class MemoryLedger:
    """Bytes of one engine on one card; kv_bytes is what is left over."""

    usable_bytes: int
    weight_bytes: int
    slot_bytes: int
    kv_token_bytes: int

    @property
    def kv_bytes(self) -> int:
        """What remains for KV blocks; never below zero."""
        return max(0, self.usable_bytes - self.weight_bytes - self.slot_bytes)

    @property
    def kv_blocks(self) -> int:
        return self.kv_bytes // (BLOCK_TOKENS * self.kv_token_bytes)

    @property
    def kv_tokens(self) -> int:
        return self.kv_blocks * BLOCK_TOKENS

    @property
    def can_start(self) -> bool:
        """True if at least one KV block fits."""
        return self.kv_blocks > 0


def memory_ledger(
    shape: ModelShape,
    card_gib: float,
    max_loras: int | None = None,
    max_lora_rank: int = 16,
    gpu_memory_utilization: float = 0.9,
    bytes_per_param: int = 2,
    target_modules: TargetModules | None = None,
    vllm_version: str = DEFAULT_VERSION,
) -> MemoryLedger:
    """Return the MemoryLedger of one engine; max_loras None means no LoRA.

    usable = card × gpu_memory_utilization, less weights, less slots, and
    the rest is KV. Activations and CUDA graphs also take from it (a GiB or
    so); they are left out, so kv_tokens is an upper bound.
    card_gib is in GiB. Raises ValueError as slot_reservation_bytes does.
    """
    check_shape(shape)
    card_gib = finite_number("card_gib", card_gib, 1e-3, 1e6)
    share = finite_number(
        "gpu_memory_utilization", gpu_memory_utilization, above=0, maximum=1
    )
    width = integer("bytes_per_param", bytes_per_param, minimum=1)
    slot_bytes = 0
    if max_loras is not None:
        slot_bytes = slot_reservation_bytes(
            shape,
            max_loras,
            max_lora_rank,
            width,
            target_modules,
            vllm_version,
        )
    return MemoryLedger(
        usable_bytes=int(card_gib * share * GIB),
        weight_bytes=shape.num_params * width,
        slot_bytes=slot_bytes,
        kv_token_bytes=kv_bytes_per_token(shape, width),
    )


def kv_tokens_lost(
    shape: ModelShape, slot_bytes: int, bytes_per_param: int = 2
) -> int:
    """Return the KV tokens that slot_bytes would have held, rounded down.

    slot_bytes comes from slot_reservation_bytes or a difference of two.
    """
    slot_bytes = integer("slot_bytes", slot_bytes, minimum=0)
    return slot_bytes // kv_bytes_per_token(shape, bytes_per_param)
