"""Lab 03: what slots take, who pays for a rank, fp8, engines by load."""

from multilora.adapters.file import adapter_params
from multilora.exercises.answers import Number
from multilora.fleet.sizing import engines_under_load, load_by_hour
from multilora.memory.economics import engines_needed
from multilora.memory.ledger import kv_tokens_lost, memory_ledger
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shapes import ATTENTION
from multilora.models.shipped import model_shape
from multilora.quiz.question import Choice, Quantity, right, wrong
from multilora.units import gib, mib

LLAMA = model_shape("Llama-3.1-8B")
SLOTS, RANK = 12, 64
TENANTS, MAX_LORAS, BUSY, QUIET = 60, 8, 0.3, 0.1


def slots_gib(max_loras: int = SLOTS, max_lora_rank: int = RANK) -> float:
    """Return what slots take on Llama-3.1-8B, in GiB."""
    return gib(slot_reservation_bytes(LLAMA, max_loras, max_lora_rank))


def _adapters_gib(modules):
    return SLOTS * gib(2 * adapter_params(LLAMA, RANK, modules))


def _slot_slips():
    return {
        "That is twelve adapters on q, k, v and o. A slot covers every "
        "module that could carry an adapter; see [section "
        "4](#4-a-slot-is-not-an-adapter).": _adapters_gib(ATTENTION),
        "That is twelve adapters on all linear layers. The slots of "
        "Llama also cover the embedding and `lm_head`; see [section "
        "4](#4-a-slot-is-not-an-adapter).": _adapters_gib("all-linear"),
        "That is for rank 16. Rank is a linear dial: four times the rank, "
        "four times the bytes; see [section "
        "4](#4-a-slot-is-not-an-adapter).": slots_gib(SLOTS, 16),
        "That is one slot, and there are twelve; see [section "
        "4](#4-a-slot-is-not-an-adapter).": slots_gib(1),
        "That is in MiB; the question asks for GiB.":
            mib(slot_reservation_bytes(LLAMA, SLOTS, RANK)),
    }  # fmt: skip


def num_engines(spread_hours: int = 1) -> int:
    """Return the engines of the fleet: by slots and by load, the larger."""
    load = load_by_hour(TENANTS, BUSY, spread_hours, QUIET / BUSY)
    return engines_under_load(TENANTS, MAX_LORAS, load)


def _engine_slips():
    by_slots = engines_needed(TENANTS, MAX_LORAS)
    return {
        "That is a slot for each tenant, rounded up. It is the floor, and "
        "the load needs more; see [section 7](#7-how-many-engines).":
            by_slots,
        "That is the load of the other hours. The fleet is sized at its "
        "peak; see [section 7](#7-how-many-engines).": int(TENANTS * QUIET),
        "That is one engine for each tenant, as without LoRA; see [section "
        "7](#7-how-many-engines).": TENANTS,
        "That is the sum of both. One engine gives slots and computes, so "
        "the larger number is enough; see [section "
        "7](#7-how-many-engines).": by_slots + num_engines(),
    }  # fmt: skip


LOST = kv_tokens_lost(
    LLAMA,
    slot_reservation_bytes(LLAMA, 8, 64)
    - slot_reservation_bytes(LLAMA, 8, 16),
)
SHARE = (
    memory_ledger(LLAMA, 24, quantization="fp8").weight_bytes
    / memory_ledger(LLAMA, 24).weight_bytes
)

QUESTIONS = [
    Quantity(
        f"vLLM starts Llama-3.1-8B with `--max-loras {SLOTS} "
        f"--max-lora-rank {RANK}`. Eight slots of rank 16 would take "
        f"{slots_gib(8, 16):.2f} GiB. How many GiB do these slots take?",
        "GiB",
        Number(slots_gib,
               "The engine takes this before the first request, and the KV "
               "cache gets what is left.", _slot_slips, within=5e-3),
    ),
    Choice(
        "On eight slots of Llama-3.1-8B one tenant insists on rank 64; all "
        "others have rank 16. Who pays for it?",
        (
            wrong("That tenant alone: their slot becomes larger.",
                  "All slots have one size, that of `max_lora_rank`; see "
                  "[section 4](#4-a-slot-is-not-an-adapter)."),
            wrong("Nobody, as long as their adapter is not loaded.",
                  "Slots are reserved when the engine starts, not when an "
                  "adapter comes; see [section "
                  "4](#4-a-slot-is-not-an-adapter)."),
            right("Everybody: each slot becomes four times as large.",
                  f"That takes {LOST:,} tokens from the KV cache which all "
                  "tenants share, all the time."),
        ),
    ),
    Choice(
        "You start Llama-3.1-8B with `--quantization fp8`. What becomes "
        "smaller?",
        (
            wrong("The weights and the slots",
                  "Slots have the width of `lora_dtype`, because adapters "
                  "remain at 16 bits; see [section "
                  "11](#11-your-base-shrinks-your-slots-do-not)."),
            right("The weights alone, and not to a half",
                  f"They come to {100 * SHARE:.0f} % of what they were: the "
                  "embedding and `lm_head` keep 16 bits. Slots and KV cache "
                  "have arguments of their own."),
            wrong("Weights, slots and KV cache, each to a half",
                  "Three widths are at work, and each has its own argument; "
                  "see [section 11](#11-your-base-shrinks-your-slots-do-not)."
                  ),
            wrong("The weights and the KV cache",
                  "The KV cache remains at 16 bits unless you say "
                  "`--kv-cache-dtype fp8`; see [section "
                  "11](#11-your-base-shrinks-your-slots-do-not)."),
        ),
    ),
    Quantity(
        f"{TENANTS} tenants, {MAX_LORAS} slots an engine. At nine each needs "
        f"{BUSY} of an engine, all in the same hour, and {QUIET} otherwise. "
        "How many engines does the fleet need, if load splits freely?",
        "engines",
        Number(num_engines,
               "The number of tenants sets the floor, and the load at its "
               "peak sets the fleet. Busy hours that differ bring it down.",
               _engine_slips),
    ),
]  # fmt: skip
