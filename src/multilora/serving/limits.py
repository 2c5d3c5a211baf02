"""The limits of an engine, by vLLM's names."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, finite_number, integer, shown
from multilora.cache.tiers import AdapterTiers
from multilora.serving.workload import Workload

WALKS = ("one by one", "residents first")
MAX_SEATS = 10**6
MAX_BLOCKS = 10**9


class Limits(NamedTuple):
    """What engine_limits() checked."""

    max_loras: int
    max_num_seqs: int
    max_num_batched_tokens: int
    max_cpu_loras: int
    walk: str
    num_gpu_blocks: int | None = None
    block_size: int = 16
    prefix_hit_share: float = 0.0

    def num_blocks(self, num_tokens: int | np.ndarray) -> int | np.ndarray:
        """Return how many KV blocks hold num_tokens; arrays are fine too."""
        return -(-num_tokens // self.block_size)

    def hit_tokens(self, prompt_tokens: np.ndarray) -> np.ndarray:
        """Return how many tokens of each prompt the prefix cache holds.

        Whole blocks, and never the last token, which vLLM always computes.
        """
        shared = (prompt_tokens * self.prefix_hit_share).astype(np.int64)
        most = np.minimum(shared, prompt_tokens - 1)
        return most // self.block_size * self.block_size


def engine_limits(
    max_loras: int,
    max_num_seqs: int = 256,
    max_num_batched_tokens: int = 8192,
    max_cpu_loras: int | None = None,
    walk: str = "one by one",
    num_gpu_blocks: int | None = None,
    block_size: int = 16,
    prefix_hit_share: float = 0.0,
) -> Limits:
    """Return the Limits of an engine, checked as vLLM checks its own.

    max_cpu_loras None is max_loras, vLLM's default. walk is the order in
    which a step's adapters are activated: "one by one" (vLLM's, see the
    cascade) or "residents first". num_gpu_blocks of block_size tokens hold
    the KV cache; None is a cache that is never full. prefix_hit_share is the
    share of each prompt, in whole blocks, that the prefix cache holds: those
    tokens are not computed, their blocks still count for each request.
    Raises ValueError for a token budget below max_num_seqs, max_cpu_loras
    below max_loras, or a share of 1 or more.
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
        None
        if num_gpu_blocks is None
        else integer("num_gpu_blocks", num_gpu_blocks, 1, MAX_BLOCKS),
        integer("block_size", block_size, 1, 2**20),
        finite_number("prefix_hit_share", prefix_hit_share, 0, 0.999),
    )  # fmt: skip


def require_fitting(limits: Limits, workload: Workload) -> None:
    """Raise ValueError if a request alone needs more blocks than there are."""
    if limits.num_gpu_blocks is None:
        return
    tokens = int((workload.prompt_tokens + workload.output_tokens).max()) - 1
    if limits.num_blocks(tokens) > limits.num_gpu_blocks:
        raise ValueError(
            f"workload holds a request of {tokens:,} tokens, "
            f"{limits.num_blocks(tokens):,} KV blocks of {limits.block_size}, "
            f"but num_gpu_blocks is {limits.num_gpu_blocks:,}"
        )


def check_limits(limits: object) -> Limits:
    """Return Limits that engine_limits could have made, or raise its error."""
    if not isinstance(limits, Limits):
        raise TypeError(f"limits is {shown(limits)}, but must be Limits")
    return engine_limits(*limits)
