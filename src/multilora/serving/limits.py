"""The limits of an engine, by vLLM's names."""

from typing import NamedTuple

from multilora.arguments import choice, integer, shown
from multilora.cache.tiers import AdapterTiers

WALKS = ("one by one", "residents first")
MAX_SEATS = 10**6


class Limits(NamedTuple):
    """What engine_limits() checked."""

    max_loras: int
    max_num_seqs: int
    max_num_batched_tokens: int
    max_cpu_loras: int
    walk: str


def engine_limits(
    max_loras: int,
    max_num_seqs: int = 256,
    max_num_batched_tokens: int = 8192,
    max_cpu_loras: int | None = None,
    walk: str = "one by one",
) -> Limits:
    """Return the Limits of an engine, checked as vLLM checks its own.

    max_cpu_loras None is max_loras, vLLM's default. walk is the order in
    which a step's adapters are activated: "one by one" (vLLM's, see the
    cascade) or "residents first". Raises ValueError for a token budget
    below max_num_seqs or max_cpu_loras below max_loras.
    """
    max_num_seqs = integer("max_num_seqs", max_num_seqs, 1, MAX_SEATS)
    tiers = AdapterTiers(max_loras, max_cpu_loras)  # checks both
    return Limits(
        tiers.max_loras,
        max_num_seqs,
        integer(
            "max_num_batched_tokens", max_num_batched_tokens, max_num_seqs,
            10**7,
        ),
        tiers.max_cpu_loras,
        choice("walk", walk, WALKS),
    )  # fmt: skip


def check_limits(limits: object) -> Limits:
    """Return Limits that engine_limits could have made, or raise its error."""
    if not isinstance(limits, Limits):
        raise TypeError(f"limits is {shown(limits)}, but must be Limits")
    return engine_limits(*limits)
