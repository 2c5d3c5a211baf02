"""Part 2, second third: what slots take from a card."""

from bisect import bisect_left
from functools import cache
from typing import Unpack

import numpy as np

from multilora.adapters.file import adapter_params
from multilora.exercises.answers import Function, Number
from multilora.exercises.task import Exercise
from multilora.memory.ledger import BLOCK_TOKENS, memory_ledger
from multilora.memory.settings import LedgerOptions
from multilora.models.shapes import ATTENTION, ModelShape
from multilora.models.shipped import model_shape
from multilora.units import GIB

SLOTS, RANK = 32, 64
# Their layers keep every token; with a window a block is not 16 tokens.
UNBOUNDED = ("Llama-3.1-8B", "Qwen2.5-7B", "Llama-3.2-1B")


def kv_blocks_lost(
    shape: ModelShape, card_gib: float, max_loras: int, max_lora_rank: int
) -> int:
    """Return the KV blocks without LoRA less those with it."""
    before, after = _ledgers(shape, card_gib, max_loras, max_lora_rank)
    return before.kv_blocks - after.kv_blocks


def _ledgers(shape, card_gib, *slots):
    before = memory_ledger(shape, card_gib)
    return before, memory_ledger(shape, card_gib, *slots)


def _card_cases():
    rng = np.random.default_rng(7)
    cases = [("Llama-3.1-8B", 24, 8, 16), ("Llama-2-7B", 24, SLOTS, RANK)]
    cases += [("Llama-2-7B", 48, SLOTS, RANK)] + [
        (name, int(rng.choice([40, 48, 80])), int(rng.integers(1, 64)), rank)
        for name in UNBOUNDED
        for rank in (8, 64)
    ]
    return [(model_shape(name), *rest) for name, *rest in cases]


def _napkin(targets):
    def slip(shape, card_gib, max_loras, max_lora_rank):
        before, _ = _ledgers(shape, card_gib, max_loras, max_lora_rank)
        size = 2 * adapter_params(shape, max_lora_rank, targets) * max_loras
        block = BLOCK_TOKENS * before.kv_token_bytes
        return min(size // block, before.kv_blocks)

    return slip


def _unlimited(*case):
    before, after = _ledgers(*case)
    return after.slot_bytes // (BLOCK_TOKENS * before.kv_token_bytes)


def _difference_rounded(*case):
    return min(_unlimited(*case), _ledgers(*case)[0].kv_blocks)


def _tokens(*case):
    before, after = _ledgers(*case)
    return before.kv_tokens - after.kv_tokens


def _no_floor(*case):
    before, after = _ledgers(*case)
    block = BLOCK_TOKENS * before.kv_token_bytes
    left = before.usable_bytes - before.weight_bytes - after.slot_bytes
    return before.kv_blocks - left // block


def _at_share(share):
    def slip(shape, card_gib, max_loras, max_lora_rank):
        before = memory_ledger(shape, card_gib, gpu_memory_utilization=share)
        after = memory_ledger(shape, card_gib, max_loras, max_lora_rank, share)
        return before.kv_blocks - after.kv_blocks

    return slip


KV_SLIPS = [
    ("you counted adapter bytes, not slots: slots cover every module that "
     "could carry an adapter", _napkin(ATTENTION)),
    ("you counted adapter bytes, not slots: for Llama the embedding and "
     "lm_head get slots too", _napkin("all-linear")),
    ("those are tokens; a block holds 16", _tokens),
    ("more blocks are lost than the card had, or one too few: subtract two "
     "counts of blocks, each at least 0", _unlimited),
    ("one block too few here and there: round both counts, not the "
     "difference", _difference_rounded),
    ("those are the blocks that are left",
     lambda *case: _ledgers(*case)[1].kv_blocks),
    ("an engine that cannot start has no blocks, and owes none: never below "
     "0", _no_floor),
    ("the engine may use 92 % of the card, not all of it", _at_share(1)),
    ("90 % of a card was the default before vLLM 0.20.0; it is 92 % now",
     _at_share(0.9)),
]  # fmt: skip


@cache
def smallest_card(max_loras: int | None = SLOTS) -> int:
    """Return the whole GiB of the smallest card on which Llama-2-7B starts."""
    shape = model_shape("Llama-2-7B")
    return next(
        size
        for size in range(1, 200)
        if memory_ledger(shape, size, max_loras, RANK).can_start
    )


def _smallest_slips():
    shape = model_shape("Llama-2-7B")
    ledger = memory_ledger(shape, 80, SLOTS, RANK)
    needed = ledger.weight_bytes + ledger.slot_bytes
    share = ledger.usable_bytes / (80 * GIB)
    napkin = 2 * adapter_params(shape, RANK, ATTENTION) * SLOTS
    return {
        "the engine may use 92 % of a card, not all of it":
            -(-needed // GIB),
        "you counted adapter bytes, not slots":
            -(-int((ledger.weight_bytes + napkin) / share) // GIB),
        "rounded down: on that card weights and slots do not fit":
            smallest_card() - 1,
        "that is the card without LoRA": smallest_card(None),
    }  # fmt: skip


def most_slots(
    shape: ModelShape,
    card_gib: float,
    max_lora_rank: int,
    kv_tokens: int,
    count: str = "kv_tokens",
    **engine: Unpack[LedgerOptions],
) -> int:
    """Return the most slots that leave at least kv_tokens; 0 for none.

    count names the ledger's number of tokens that must reach kv_tokens;
    engine holds more arguments of memory_ledger.
    """

    def is_too_many(num_slots):
        ledger = memory_ledger(
            shape, card_gib, num_slots, max_lora_rank, **engine
        )
        return getattr(ledger, count) < kv_tokens

    return bisect_left(range(1, 10_000), True, key=is_too_many)


def slots_to_sell(
    shape: ModelShape, card_gib: float, max_lora_rank: int, kv_tokens: int
) -> int:
    """Return the most slots that leave at least kv_tokens; 0 for none."""
    return most_slots(shape, card_gib, max_lora_rank, kv_tokens)


def _sell_cases():
    """One promise is what 20 slots leave, the next a token more."""
    rng = np.random.default_rng(8)
    edge = memory_ledger(model_shape("Llama-3.1-8B"), 24, 20, 16).kv_tokens
    cases = [("Llama-3.1-8B", 24, 16, 30_000), ("Llama-2-7B", 24, 64, 20_000)]
    cases += [("Llama-3.1-8B", 24, 16, edge + extra) for extra in (0, 1)]
    cases += [("Llama-2-7B", 16, 16, 10_000)] + [
        (name, 40, rank, int(rng.integers(20_000, 100_000)))
        for name in UNBOUNDED[:2]
        for rank in (16, 64)
    ]
    return [(model_shape(name), *rest) for name, *rest in cases]


def _by_adapters(shape, card_gib, rank, kv_tokens):
    ledger = memory_ledger(shape, card_gib)
    left = ledger.kv_bytes - kv_tokens * ledger.kv_token_bytes
    return max(0, left // (2 * adapter_params(shape, rank, "all-linear")))


def _more_than(shape, card_gib, rank, kv_tokens):
    return slots_to_sell(shape, card_gib, rank, kv_tokens + 1)


def _not_in_blocks(shape, card_gib, rank, kv_tokens):
    ledger = memory_ledger(shape, card_gib, 1, rank)
    left = ledger.usable_bytes - ledger.weight_bytes
    left -= kv_tokens * ledger.kv_token_bytes
    return max(0, left // ledger.slot_bytes)


SELL_SLIPS = [
    ("off by one: with one slot more the tokens no longer fit",
     lambda *case: slots_to_sell(*case) + 1),
    ("one slot more still leaves enough: at least kv_tokens, not more",
     lambda *case: max(0, slots_to_sell(*case) - 1)),
    ("what a slot count leaves may be just enough: at least kv_tokens, not "
     "more", _more_than),
    ("tokens come in whole blocks of 16: round down before you compare",
     _not_in_blocks),
    ("kv_tokens are tokens, not blocks: a block holds 16",
     lambda shape, card, rank, n: slots_to_sell(shape, card, rank, 16 * n)),
    ("you divided by an adapter, not by a slot", _by_adapters),
    ("the engine may use 92 % of the card, not all of it",
     lambda *case: most_slots(*case, gpu_memory_utilization=1)),
    ("90 % of a card was the default before vLLM 0.20.0; it is 92 % now",
     lambda *case: most_slots(*case, gpu_memory_utilization=0.9)),
]  # fmt: skip

EXERCISES = [
    Exercise("kv_blocks_lost", "KV blocks lost", 2, 15, Function(
        kv_blocks_lost, _card_cases,
        "blocks without LoRA less blocks with it", KV_SLIPS)),
    Exercise("smallest_card", "A card where it can start", 1, 6, Number(
        smallest_card,
        "at {} GiB a first KV block is left",
        _smallest_slips)),
    Exercise("slots_to_sell", "How many slots to sell", 3, 20, Function(
        slots_to_sell, _sell_cases,
        "the most that leave the tokens you promised", SELL_SLIPS)),
]  # fmt: skip
