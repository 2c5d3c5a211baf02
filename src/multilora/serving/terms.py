"""The terms of a model's step, fitted on real hours, as a StepCost."""

from typing import Any, NamedTuple

from multilora.arguments import choice, integer
from multilora.published import shared
from multilora.serving.cost import StepCost, step_cost

MAX_SLOTS, MAX_RANK = 10_000, 4096


class StepTerms(NamedTuple):
    """Times in ms, as `make fit` finds them; a rank counts as rank / 16.

    A step takes step_ms, slot_rank_ms for each slot and rank, seq_ms for
    each request in it (far_seq_ms beyond seq_knee), prompt_token_ms for each
    token of a prompt, and for each distinct adapter adapter_ms and, by rank,
    adapter_rank_ms (beyond adapter_knee far_adapter_ms in all);
    adapter_share is how much longer each adapter makes the first three.
    slot_load_ms is by rank; the last two are the API server's, see StepCost.
    """

    step_ms: float
    slot_rank_ms: float
    seq_ms: float
    seq_knee: int
    far_seq_ms: float
    prompt_token_ms: float
    adapter_ms: float
    adapter_rank_ms: float
    adapter_knee: int
    far_adapter_ms: float
    adapter_share: float
    slot_load_ms: float
    disk_load_ms: float
    api_ms: float
    first_use_ms: float

    def cost(
        self,
        max_loras: int,
        max_lora_rank: int,
        is_cold: bool = False,
        **changes: Any,
    ) -> StepCost:
        """Return the StepCost of an engine with these slots and this rank.

        With is_cold the API server is held up by first uses, as after a
        start; without it, it has seen every adapter before. changes replaces
        arguments of step_cost by name. Raises ValueError as step_cost does.
        """
        max_loras = integer("max_loras", max_loras, 1, MAX_SLOTS)
        ranks = integer("max_lora_rank", max_lora_rank, 1, MAX_RANK) / 16
        by_rank = self.adapter_rank_ms * ranks
        arguments: dict[str, Any] = {
            "step_ms": self.step_ms + self.slot_rank_ms * max_loras * ranks,
            "seq_ms": self.seq_ms,
            "prompt_token_ms": self.prompt_token_ms,
            "adapter_share": self.adapter_share,
            "slot_load_ms": self.slot_load_ms * ranks,
            "disk_load_ms": self.disk_load_ms,
            "adapter_ms": self.adapter_ms + by_rank,
            "api_ms": self.api_ms,
            "first_use_ms": self.first_use_ms * is_cold,
            "bends": {
                "seq": (self.seq_knee, self.far_seq_ms),
                "adapter": (self.adapter_knee, self.far_adapter_ms),
            },
        }
        return step_cost(**arguments | changes)


def fitted_models() -> list[str]:
    """Return the short names of the models that terms were fitted for."""
    return list(shared("step_terms")["models"])


def step_terms(model: str) -> StepTerms:
    """Return the fitted StepTerms of a model (data/step_terms.json).

    Raises ValueError for a name that is not in fitted_models().
    """
    model = choice("model", model, fitted_models())
    return StepTerms(**shared("step_terms")["models"][model]["terms"])


def fitted_kv_bytes(model: str) -> int:
    """Return the bytes of the KV pool of those hours, were there no slots.

    Raises ValueError for a name that is not in fitted_models().
    """
    model = choice("model", model, fitted_models())
    return int(shared("step_terms")["models"][model]["kv_bytes"])


def fitted_cost(
    max_loras: int,
    max_lora_rank: int = 16,
    model: str = "Qwen2.5-7B",
    is_cold: bool = False,
    **changes: Any,
) -> StepCost:
    """Return step_terms(model).cost(...): the cost that the book's p99 use."""
    terms = step_terms(model)
    return terms.cost(max_loras, max_lora_rank, is_cold, **changes)
