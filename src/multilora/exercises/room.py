"""Part 5, second half: room for slots, by a smaller base or more GPUs."""

from functools import cache
from typing import Unpack

from multilora.exercises.answers import Number
from multilora.exercises.cards import most_slots
from multilora.exercises.task import Exercise
from multilora.memory.ledger import memory_ledger
from multilora.memory.reservation import slot_reservation_bytes
from multilora.memory.settings import LedgerOptions
from multilora.models.shipped import model_shape

CARD_GIB, RANK, PROMISED = 24, 64, 15_000
NUM_GPUS = 4


@cache
def slots_beside(
    count: str = "kv_tokens_low", **engine: Unpack[LedgerOptions]
) -> int:
    """Return the most slots beside Llama-3.1-8B that keep the promise.

    count names the ledger's number of tokens; engine is memory_ledger's.
    """
    shape = model_shape("Llama-3.1-8B")
    return most_slots(shape, CARD_GIB, RANK, PROMISED, count, **engine)


def slots_in_fp8() -> int:
    """Return that number with the base quantised to FP8 as it loads."""
    return slots_beside(quantization="fp8")


def _halved():
    """Slots if FP8 took a byte off each weight of the tables as well."""
    shape = model_shape("Llama-3.1-8B")
    share = memory_ledger(shape, CARD_GIB).usable_bytes / CARD_GIB
    saved = 2 * shape.vocab_size * shape.hidden_size  # embedding, lm_head
    card_gib = CARD_GIB + saved / share
    promise = (RANK, PROMISED, "kv_tokens_low")
    return most_slots(shape, card_gib, *promise, quantization="fp8")


@cache
def _fp8_slips():
    cached = slots_beside(quantization="fp8", kv_cache_dtype="fp8")
    return {
        "that is with the base at 16 bits: give memory_ledger quantization":
            slots_beside(),
        "that is how many more there are; how many are there in all?":
            slots_in_fp8() - slots_beside(),
        "no engine reaches kv_tokens: take the low end, kv_tokens_low":
            slots_beside("kv_tokens", quantization="fp8"),
        "that is the high end: a promise takes kv_tokens_low":
            slots_beside("kv_tokens_high", quantization="fp8"),
        "FP8 is for the layers' matrices: the embedding and lm_head keep 16 "
        "bits": _halved(),
        "kv_cache_dtype is another argument: the cache keeps its 16 bits":
            cached,
        "one slot more breaks the promise": slots_in_fp8() + 1,
    }  # fmt: skip


def slot_share(
    tensor_parallel_size: int = NUM_GPUS, fully_sharded_loras: bool = False
) -> float:
    """Return which share of a slot of Llama-3.1-70B each GPU holds."""
    shape = model_shape("Llama-3.1-70B")
    each = slot_reservation_bytes(
        shape,
        1,
        RANK,
        tensor_parallel_size=tensor_parallel_size,
        fully_sharded_loras=fully_sharded_loras,
    )
    return each / slot_reservation_bytes(shape, 1, RANK)


def _share_slips():
    return {
        "a share from 0 to 1 is wanted, not per cent": 100 * slot_share(),
        "the base is cut into four; a slot has matrices that are not":
            1 / NUM_GPUS,
        "that is with fully_sharded_loras=True, which is not the default":
            slot_share(fully_sharded_loras=True),
        "that is on two GPUs": slot_share(2),
        "that is what four GPUs hold together": NUM_GPUS * slot_share(),
    }  # fmt: skip


EXERCISES = [
    Exercise("fp8_base", "A base in FP8", 2, 10, Number(
        slots_in_fp8, "{} slots beside a base in FP8", _fp8_slips)),
    Exercise("slot_share", "A slot on four GPUs", 2, 8, Number(
        slot_share, "more than half of a slot on each of four GPUs",
        _share_slips, within=2e-3)),
]  # fmt: skip
