"""Where a card's memory goes: base weights, adapter slots, KV blocks."""

from dataclasses import dataclass
from typing import Unpack

from multilora.arguments import integer
from multilora.memory.kv import (
    BLOCK_TOKENS,
    KvPool,
    kv_bytes_per_token,
    kv_pool,
)
from multilora.memory.overheads import Overhead, overhead
from multilora.memory.reservation import slot_reservation_bytes
from multilora.memory.settings import EngineOptions, EngineSettings
from multilora.memory.sharding import check_parallel, stage
from multilora.memory.weights import weight_breakdown
from multilora.models.quantisation import quantization_of
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.versions import nearest_rule
from multilora.units import GIB


@dataclass(frozen=True)
class MemoryLedger:
    """Bytes of one engine on each of its GPUs, on the fullest of them.

    kv_bytes is what weights and slots leave, and kv_tokens what vLLM would
    log for it: no engine reaches that, because a step's activations and the
    CUDA context also take from it. kv_tokens_low and kv_tokens_high say
    between which numbers the log line is expected; pool, pool_low and
    pool_high are the blocks of each.
    """

    usable_bytes: int
    weight_bytes: int
    buffer_bytes: int
    slot_bytes: int
    kv_token_bytes: int
    overhead: Overhead
    pool: KvPool
    pool_low: KvPool
    pool_high: KvPool
    notes: tuple[str, ...] = ()

    @property
    def kv_tokens(self) -> int:
        return self.pool.num_tokens

    @property
    def kv_tokens_low(self) -> int:
        return self.pool_low.num_tokens

    @property
    def kv_tokens_high(self) -> int:
        return self.pool_high.num_tokens

    @property
    def loading_bytes(self) -> int:
        """What vLLM's line "Model loading took" says, slots included."""
        return self.weight_bytes + self.buffer_bytes + self.slot_bytes

    @property
    def kv_bytes(self) -> int:
        """What weights and slots leave; never below zero."""
        return max(0, self.usable_bytes - self.weight_bytes - self.slot_bytes)

    @property
    def kv_blocks(self) -> int:
        return self.kv_tokens // BLOCK_TOKENS

    @property
    def can_start(self) -> bool:
        """True if at least one KV block fits beside weights and slots."""
        return self.kv_blocks > 0

    def told(self) -> str:
        """One sentence: what the KV cache gets, or why nothing remains."""
        usable, weights, slots = (
            f"{num_bytes / GIB:.2f} GiB"
            for num_bytes in (
                self.usable_bytes,
                self.weight_bytes,
                self.slot_bytes,
            )
        )
        if not self.can_start:
            return (
                f"it does not start: of {usable} a GPU the weights take "
                f"{weights} and the slots {slots}, which leaves no KV block"
            )
        low, high = f"{self.kv_tokens_low:,}", f"{self.kv_tokens_high:,}"
        return (
            f"of {usable} a GPU the weights take {weights} and the slots "
            f"{slots}; {low} to {high} KV tokens remain"
        )


def memory_ledger(
    shape: ModelShape,
    card_gib: float,
    max_loras: int | None = None,
    max_lora_rank: int = 16,
    gpu_memory_utilization: float | None = None,
    **engine: Unpack[EngineOptions],
) -> MemoryLedger:
    """Return the MemoryLedger of one engine; max_loras None means no LoRA.

    usable = card × gpu_memory_utilization (None: the version's default),
    less weights (by the quantisation that the config or the argument says),
    less slots, and the rest is KV. With several GPUs it is one of them, with
    pipeline stages the one that keeps the fewest KV tokens. card_gib is in
    GiB. engine holds more of vLLM's arguments by name, those of
    EngineOptions: max_num_batched_tokens and max_num_seqs are by default
    what `vllm serve` takes on such a card, max_model_len the model's own.
    Raises ValueError as slot_reservation_bytes, weight_bytes and kv_pool do.
    """
    settings = EngineSettings(
        card_gib,
        max_loras,
        max_lora_rank,
        gpu_memory_utilization,
        **engine,
    )
    check_parallel(check_shape(shape), settings.parallel)
    stages = [
        _of_stage(stage(shape, settings.parallel, number), settings)
        for number in range(settings.pipeline_parallel_size)
    ]
    return min(stages, key=lambda item: item.kv_tokens)


def _of_stage(shape, settings):
    """The ledger of a GPU that holds these layers."""
    rule = nearest_rule(settings.vllm_version)
    size = settings.tensor_parallel_size
    weights = _weights(shape, settings)
    slots = _slot_bytes(shape, settings)
    batched, sequences = settings.batch(
        settings.max_model_len or shape.max_position_embeddings
    )
    others = overhead(
        shape,
        batched,
        sequences,
        settings.parallel,
        rule.are_graphs_in_kv_budget and not settings.enforce_eager,
    )
    loaded = weights.loaded(settings.vllm_version)
    left = settings.usable_bytes - weights.weights
    left -= slots if rule.are_slots_in_kv_budget else 0
    beside = loaded - weights.weights
    dtype = _kv_dtype(shape, settings)
    most, low, high = (
        kv_pool(
            shape,
            max(0, num_bytes),
            settings.max_model_len,
            dtype,
            size,
            max_num_batched_tokens=batched,
            vllm_version=settings.vllm_version,
        )
        for num_bytes in (
            left,
            left - beside - others.high_bytes,
            left - beside - others.low_bytes,
        )
    )
    return MemoryLedger(
        settings.usable_bytes,
        weights.weights,
        beside,
        slots,
        kv_bytes_per_token(shape, dtype, size),
        others,
        most,
        low,
        high,
        notes=_notes(rule, settings),
    )


def _notes(rule, settings):
    """Sentences on what this version does otherwise, or is not known of."""
    found = [] if rule.is_exact else [rule.said]
    if settings.max_loras is not None and not rule.are_slots_in_kv_budget:
        found.append(
            f"vLLM {rule.used} allocates the slots after it has sized the "
            "KV cache: they are in neither the loading line nor the KV "
            "budget, and come on top"
        )
    return tuple(found)


def _weights(shape, settings):
    arguments = (settings.quantization, settings.tensor_parallel_size)
    is_moved = settings.enable_expert_parallel
    return shape.remember(
        ("weights", *arguments, is_moved, settings.dtype),
        lambda: weight_breakdown(
            shape,
            *arguments,
            enable_expert_parallel=is_moved,
            dtype=settings.dtype,
        ),
    )


def _kv_dtype(shape, settings):
    """What --kv-cache-dtype auto means: the checkpoint's word, or 16 bits."""
    if settings.kv_cache_dtype != "auto":
        return settings.kv_cache_dtype
    own = shape.remember(
        ("quantization", settings.quantization),
        lambda: quantization_of(shape.config, settings.quantization),
    )
    said = own.kv_cache_dtype if own else "auto"
    return settings.auto_dtype if said == "auto" else said


def _slot_bytes(shape, settings):
    if settings.max_loras is None:
        return 0
    is_auto = settings.lora_dtype == "auto"
    return slot_reservation_bytes(
        shape,
        settings.max_loras,
        settings.max_lora_rank,
        settings.auto_dtype if is_auto else settings.lora_dtype,
        settings.target_modules,
        settings.vllm_version,
        settings.tensor_parallel_size,
        settings.fully_sharded_loras,
        settings.enable_expert_parallel,
    )


def kv_tokens_lost(
    shape: ModelShape, slot_bytes: int, kv_cache_dtype: str = "auto"
) -> int:
    """Return the KV tokens that slot_bytes would have held, rounded down.

    slot_bytes comes from slot_reservation_bytes or a difference of two.
    """
    slot_bytes = integer("slot_bytes", slot_bytes, minimum=0)
    return slot_bytes // kv_bytes_per_token(shape, kv_cache_dtype)
