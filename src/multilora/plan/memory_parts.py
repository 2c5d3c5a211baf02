"""Where the memory of one GPU goes, part by part."""

from typing import Protocol

from multilora.plan.answer import Memory
from multilora.units import GIB


class _Carded(Protocol):
    @property
    def card_gib(self) -> float: ...


def memory_parts(plan: _Carded, memory: Memory) -> dict[str, int]:
    """Return {part: bytes} of one GPU; with what is free they are the card.

    plan is whatever has a card_gib, so a Case will do. What the overhead
    may take is apart from what it takes at least.
    """
    card = int(plan.card_gib * GIB)
    fixed = {
        "base weights": memory.weight_bytes,
        "slots": memory.slot_bytes,
        "overhead": memory.overhead_low_bytes,
        "overhead or KV": max(
            0, memory.overhead_high_bytes - memory.overhead_low_bytes
        ),
    }
    left = max(0, memory.usable_bytes - sum(fixed.values()))
    free = max(0, card - sum(fixed.values()) - left)
    return fixed | {"KV": left, "not used by vLLM": free}
