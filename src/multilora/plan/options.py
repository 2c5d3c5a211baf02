"""Numbers into advice: slots by traffic, slots by rank, host memory."""

from collections.abc import Iterable
from typing import NamedTuple, Unpack

import numpy.typing as npt

from multilora.adapters.file import adapter_params
from multilora.arguments import integer, items
from multilora.cache.hitrate import hit_rate_curve
from multilora.memory.kv import BLOCK_TOKENS
from multilora.memory.ledger import MemoryLedger, memory_ledger
from multilora.memory.settings import LedgerOptions
from multilora.models.dtypes import lora_dtype_bytes
from multilora.models.shapes import ModelShape, TargetModules
from multilora.models.versions import DEFAULT_VERSION, nearest_rule
from multilora.traffic.generators import MAX_ADAPTERS

MAX_SLOTS = 1024  # rows of a table; an engine of so many slots is a slip


class SlotOption(NamedTuple):
    """One value of max_loras, and what it takes and gives.

    kv_tokens are what weights and slots leave, an upper bound; vLLM's log
    line is expected between kv_tokens_low and kv_tokens_high. uniform_rate
    is what it would hit if all tenants asked alike. can_start asks for one
    KV block, vLLM for more: see kv_tokens_to_start.
    """

    max_loras: int
    slot_bytes: int
    kv_tokens: int
    kv_tokens_low: int
    kv_tokens_high: int
    can_start: bool
    hit_rate: float
    uniform_rate: float

    @property
    def loads_per_request(self) -> float:
        """Misses a request under LRU. A busy vLLM can load far more."""
        return 1 - self.hit_rate


class RankOption(NamedTuple):
    """One value of max_lora_rank, and how many tenants it serves.

    kv_tokens, kv_tokens_low and kv_tokens_high are as in SlotOption.
    """

    max_lora_rank: int
    num_served: int
    slot_bytes: int
    kv_tokens: int
    kv_tokens_low: int
    kv_tokens_high: int
    can_start: bool


def slot_options(
    shape: ModelShape,
    card_gib: float,
    trace: npt.ArrayLike,
    max_lora_rank: int = 16,
    slot_counts: Iterable[int] | None = None,
    **engine: Unpack[LedgerOptions],
) -> list[SlotOption]:
    """Return a SlotOption for each value of max_loras, smallest first.

    Memory is memory_ledger's, per GPU; hits are those of an LRU cache on the
    trace (adapter ids, -1 for the base).
    slot_counts None is every count from 1 to the trace's adapters, at most
    MAX_SLOTS. engine holds more arguments of memory_ledger, by name.
    Raises ValueError for an empty trace, a card that is no size, slot
    counts out of range, and as memory_ledger does.
    """
    rates = hit_rate_curve(trace)
    if slot_counts is None:
        slot_counts = range(1, min(len(rates), MAX_SLOTS) + 1)
    counts = _slot_counts(slot_counts)
    return [
        _slot_option(shape, card_gib, count, max_lora_rank, rates, engine)
        for count in counts
    ]


def _slot_counts(slot_counts):
    counts = [
        integer("slot_counts", count, 1, MAX_SLOTS)
        for count in items("slot_counts", slot_counts, object)
    ]
    if not counts:
        raise ValueError("slot_counts is empty, but must hold at least one")
    return sorted(set(counts))


def _slot_option(shape, card_gib, max_loras, max_lora_rank, rates, engine):
    ledger = memory_ledger(shape, card_gib, max_loras, max_lora_rank, **engine)
    return SlotOption(
        max_loras,
        *_bytes_of(ledger),
        float(rates[min(max_loras, len(rates)) - 1]),
        min(1.0, max_loras / len(rates)),
    )


def kv_tokens_to_start(max_model_len: int) -> int:
    """Return the KV tokens without which vLLM refuses to start.

    One request of max_model_len tokens, in whole blocks, and a block that
    vLLM keeps back. Give it to recommend as min_kv_tokens.
    Source: vLLM 0.32.0, get_kv_cache_configs; held against it by a test.
    Raises ValueError for a max_model_len below 1.
    """
    num_tokens = integer("max_model_len", max_model_len, minimum=1)
    return (-(-num_tokens // BLOCK_TOKENS) + 1) * BLOCK_TOKENS


def rank_options(
    shape: ModelShape,
    card_gib: float,
    ranks: Iterable[int],
    max_loras: int,
    **engine: Unpack[LedgerOptions],
) -> list[RankOption]:
    """Return a RankOption for each max_lora_rank that tenants ask for.

    ranks holds each tenant's own rank; vLLM rounds it up to a size that
    slots come in. engine holds more arguments of memory_ledger, by name.
    Raises ValueError for no tenants, a rank that no slot can hold, and as
    memory_ledger does.
    """
    integer("max_loras", max_loras, minimum=1)
    version = engine.get("vllm_version", DEFAULT_VERSION)
    sizes = nearest_rule(version).ranks
    ranks = [
        integer("ranks", rank, 1, max(sizes))
        for rank in items("ranks", ranks, object)
    ]
    if not ranks:
        raise ValueError("ranks is empty, but must hold each tenant's rank")
    asked = {min(size for size in sizes if size >= rank) for rank in ranks}
    options = []
    for size in sorted(asked):
        ledger = memory_ledger(shape, card_gib, max_loras, size, **engine)
        num_served = sum(rank <= size for rank in ranks)
        options.append(RankOption(size, num_served, *_bytes_of(ledger)))
    return options


def _bytes_of(ledger: MemoryLedger) -> tuple[int, int, int, int, bool]:
    return (
        ledger.slot_bytes,
        ledger.kv_tokens,
        ledger.kv_tokens_low,
        ledger.kv_tokens_high,
        ledger.can_start,
    )


def cpu_tier_bytes(
    shape: ModelShape,
    num_adapters: int,
    rank: int,
    target_modules: TargetModules = "all-linear",
    lora_dtype: str = "auto",
) -> int:
    """Return the host memory of num_adapters in vLLM's CPU tier, in bytes.

    A copy there has the adapter's own rank and modules, not a slot's (also
    those that --lora-target-modules keeps out of the slots), in the engine's
    lora_dtype whatever the file's.
    Each worker process of a tensor-parallel engine keeps its own copies.
    One adapter more can be there for a moment: vLLM reads before it evicts.
    Source: vLLM 0.32.0, LoRAModel.from_lora_tensors and
    LRUCacheWorkerLoRAManager.add_adapter; held against them by a test.
    Raises ValueError as adapter_params does.
    """
    num = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    width = lora_dtype_bytes(lora_dtype)
    return num * width * adapter_params(shape, rank, target_modules)
