"""The guide: the scaling, a slot, what a tier changes, who may join."""

from multilora.adapters.file import adapter_params
from multilora.exercises.answers import Number
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_shape
from multilora.quiz.question import Choice, Quantity, right, wrong
from multilora.units import gib, mib

LLAMA = model_shape("Llama-3.1-8B")


def slots_mib(max_loras: int = 4, max_lora_rank: int = 32) -> float:
    """Return what slots take on Llama-3.1-8B, in MiB."""
    return mib(slot_reservation_bytes(LLAMA, max_loras, max_lora_rank))


def _slips():
    adapters = 4 * mib(2 * adapter_params(LLAMA, 32, "all-linear"))
    return {
        "That is for rank 16. A slot is made for the largest rank that may "
        "come, so its size follows `max_lora_rank`; see "
        "[section 4](#4-adapters-in-memory).": slots_mib(4, 16),
        "That is one slot. Four are reserved when the engine starts, also "
        "when one adapter is loaded; see [section "
        "4](#4-adapters-in-memory).": slots_mib(1),
        "That is four adapters on all linear layers. A slot also has room "
        "for the embedding and `lm_head`; see [section "
        "2](#2-which-layers-get-patched).": adapters,
        "That is in GiB; the question asks for MiB.":
            gib(slot_reservation_bytes(LLAMA, 4, 32)),
    }  # fmt: skip


QUESTIONS = [
    Choice(
        "Alpha is 16 and the rank 16. You train again with rank 64 and leave "
        "alpha as it is. How does the scaling change?",
        (
            wrong("It stays as it is, because alpha did not change.",
                  "Alpha alone is not the scaling. It is divided by the "
                  "rank; see [section 1](#1-a-lora-by-hand)."),
            wrong("It becomes four times as large.",
                  "The rank is below the fraction bar in alpha / r, so a "
                  "larger rank makes the scaling smaller; see [section "
                  "1](#1-a-lora-by-hand)."),
            right("It becomes a quarter of what it was.",
                  "The scaling is alpha / r: 1 at rank 16 and 0.25 at rank "
                  "64. So the same alpha counts less at a larger rank."),
            wrong("It becomes half of what it was.",
                  "Half is what rsLoRA gives, which divides by the root of "
                  "the rank. Plain LoRA divides by the rank; see [section "
                  "1](#1-a-lora-by-hand)."),
        ),
    ),
    Quantity(
        f"One slot of rank 16 takes {slots_mib(1, 16):.1f} MiB on "
        "Llama-3.1-8B. How many MiB do four slots take with "
        "`max_lora_rank=32`?",
        "MiB",
        Number(slots_mib,
               "Slots times rank decide, before the first adapter comes: a "
               "tenant with a small adapter gets the same slot.",
               _slips, within=5e-3),
    ),
    Choice(
        "You raise `max_cpu_loras` from its default to the number of all "
        "tenants, and leave `max_loras` as it is. What changes?",
        (
            wrong("There are fewer misses.",
                  "A request hits when its adapter has a slot, and there are "
                  "as many slots as before; see [section "
                  "4](#4-adapters-in-memory)."),
            right("There are as many misses, and each costs less.",
                  "The tier does not change who has a slot. It keeps a copy "
                  "in host memory, so that a miss does not read the disk."),
            wrong("The KV cache becomes smaller.",
                  "The copies lie in the host's memory. Slots take from the "
                  "KV cache, and their number did not change; see [section "
                  "4](#4-adapters-in-memory)."),
        ),
    ),
    Choice(
        "Two slots; requests of adapters a and b are running. Three wait, in "
        "this order: one for adapter c, one for a, one for the base. Seats "
        "are free. Who runs in the next step?",
        (
            wrong("Nobody joins: the request for c is first in the queue.",
                  "A request whose adapter does not fit is passed over, and "
                  "the queue goes on behind it; see [section "
                  "5](#5-a-step-of-the-scheduler)."),
            wrong("c joins, and the adapter used least recently loses its "
                  "slot.",
                  "An adapter keeps its slot while a request of it runs: "
                  "what a step admits fits the slots; see [section "
                  "7](#7-five-invariants)."),
            wrong("Only the request for the base joins.",
                  "The base needs no slot, but the second request for a "
                  "needs none more either: its adapter is in already; see "
                  "[section 5](#5-a-step-of-the-scheduler)."),
            right("The requests for a and for the base join, and c waits.",
                  "The request for c is deferred. This keeps the engine "
                  "full, and a tenant who asks rarely may wait for long."),
        ),
    ),
]  # fmt: skip
