"""How one engine is started: the arguments that decide its memory."""

from dataclasses import dataclass
from typing import TypedDict

from multilora.arguments import choice, finite_number, integer
from multilora.memory.sharding import Parallel
from multilora.models.dtypes import weight_dtype_bytes
from multilora.models.shapes import TargetModules
from multilora.models.versions import (
    DEFAULT_VERSION,
    default_batch,
    nearest_rule,
)
from multilora.units import GIB


class EngineOptions(TypedDict, total=False):
    """The arguments of memory_ledger that others pass on, in vLLM's names."""

    target_modules: TargetModules | None
    vllm_version: str
    quantization: str | None
    dtype: str
    lora_dtype: str
    kv_cache_dtype: str
    tensor_parallel_size: int
    pipeline_parallel_size: int
    enable_expert_parallel: bool
    fully_sharded_loras: bool
    max_model_len: int | None
    max_num_batched_tokens: int | None
    max_num_seqs: int | None
    enforce_eager: bool


class LedgerOptions(EngineOptions, total=False):
    """The same, and the share of a card."""

    gpu_memory_utilization: float | None


@dataclass(frozen=True)
class EngineSettings:
    """One engine's arguments, in vLLM's names; card_gib is a GPU's, in GiB.

    None is what the version, the model or the card says.
    """

    card_gib: float
    max_loras: int | None = None
    max_lora_rank: int = 16
    gpu_memory_utilization: float | None = None
    target_modules: TargetModules | None = None
    vllm_version: str = DEFAULT_VERSION
    quantization: str | None = None
    dtype: str = "auto"
    lora_dtype: str = "auto"
    kv_cache_dtype: str = "auto"
    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    enable_expert_parallel: bool = False
    fully_sharded_loras: bool = False
    max_model_len: int | None = None
    max_num_batched_tokens: int | None = None
    max_num_seqs: int | None = None
    enforce_eager: bool = False

    def __post_init__(self) -> None:
        finite_number("card_gib", self.card_gib, 1e-3, 1e6)
        nearest_rule(self.vllm_version)
        if self.gpu_memory_utilization is not None:
            finite_number(
                "gpu_memory_utilization",
                self.gpu_memory_utilization,
                above=0,
                maximum=1,
            )
        for name in ("max_model_len", "max_num_batched_tokens",
                     "max_num_seqs"):  # fmt: skip
            if getattr(self, name) is not None:
                integer(name, getattr(self, name), 1, 2**24)
        choice("enforce_eager", self.enforce_eager, (True, False))
        weight_dtype_bytes(self.dtype)

    @property
    def parallel(self) -> Parallel:
        return Parallel(
            self.tensor_parallel_size,
            self.pipeline_parallel_size,
            self.enable_expert_parallel,
            self.fully_sharded_loras,
        )

    @property
    def auto_dtype(self) -> str:
        """What "auto" means for slots and KV pages: dtype, if 32 bits."""
        return "float32" if weight_dtype_bytes(self.dtype) == 4 else "auto"

    @property
    def share(self) -> float:
        """gpu_memory_utilization, as given or by the version."""
        if self.gpu_memory_utilization is not None:
            return self.gpu_memory_utilization
        return nearest_rule(self.vllm_version).gpu_memory_utilization

    @property
    def usable_bytes(self) -> int:
        """The share of one GPU that the engine may fill."""
        return int(self.card_gib * self.share * GIB)

    def batch(self, longest: int) -> tuple[int, int]:
        """Return (max_num_batched_tokens, max_num_seqs) of `vllm serve`.

        longest is the longest request in tokens; the card's name is not
        known here, so an A100 of 80 GB needs both said.
        """
        usual = default_batch(self.vllm_version, "", self.card_gib)
        return (
            self.max_num_batched_tokens or usual.server or max(longest, 2048),
            self.max_num_seqs or usual.max_num_seqs,
        )
