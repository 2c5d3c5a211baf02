"""What a load costs: small copies by the hundred, not bytes."""

from typing import NamedTuple

from multilora.adapters.file import adapter_params
from multilora.arguments import finite_number, integer
from multilora.memory.reservation import reserved_modules
from multilora.models.shapes import (
    EMBEDDINGS,
    ModelShape,
    TargetModules,
    check_dense,
)
from multilora.models.shipped import model_shape
from multilora.models.versions import DEFAULT_VERSION
from multilora.published import published

LOADS_BYTES_PER_PARAM = 2  # a slot holds the engine's 16 bits
MAX_LOADS, MAX_MS = 10**15, 1e9


class LoadTime(NamedTuple):
    """A published time of one load beside what it moved."""

    model: str
    rank: int
    low_ms: float
    high_ms: float
    num_launches: int
    num_bytes: int

    @property
    def us_per_launch(self) -> float:
        """Microseconds a copy or fill, by the middle of the two times."""
        return 500 * (self.low_ms + self.high_ms) / self.num_launches


def slot_launches(
    shape: ModelShape,
    target_modules: TargetModules = "all-linear",
    vllm_version: str = DEFAULT_VERSION,
) -> int:
    """Return how many fills and copies vLLM issues to load one slot.

    Each module that has slots is cleared first, its A and its B: two fills,
    for q, k and v each. Then A and B of each target module are copied: two
    copies more. Neither the rank nor the widths matter. As
    BaseLinearLayerWithLoRA.set_lora on an engine that wraps every module,
    tensor parallel size 1, dense models. Raises ValueError as
    slot_reservation_bytes and adapter_params do.
    """
    reserved = reserved_modules(check_dense(shape), None, vllm_version)
    num_tables = len(set(reserved) & set(EMBEDDINGS))
    num_cleared = num_tables + sum(item.num_layers for item in shape.linears)
    num_copied = sum(item.num_layers for item in shape.select(target_modules))
    return 2 * (num_cleared + num_copied)


def published_slot_times() -> list[LoadTime]:
    """Return LoadTimes of published copies from the CPU tier into a slot.

    All targets of the model are assumed; the sources do not name them.
    """
    return [
        LoadTime(
            row["model"],
            row["rank"],
            row["low_ms"],
            row["high_ms"],
            # The measured vLLM, 0.8.5, wraps the same modules in these.
            slot_launches(model_shape(row["model"]), vllm_version="0.8.5"),
            LOADS_BYTES_PER_PARAM
            * adapter_params(
                model_shape(row["model"]), row["rank"], "all-linear"
            ),
        )
        for row in published("load_times")["rows"]
        if row["kind"] == "slot"
    ]


def seconds_loading(
    slot_loads: int, disk_loads: int, slot_ms: float, disk_ms: float
) -> float:
    """Return the seconds that an engine stands still for loads.

    Each load happens between two steps, so every running request waits.
    slot_ms is the time of a copy into a slot, disk_ms of a read.
    """
    slot_loads = integer("slot_loads", slot_loads, 0, MAX_LOADS)
    disk_loads = integer("disk_loads", disk_loads, 0, MAX_LOADS)
    slot_ms = finite_number("slot_ms", slot_ms, 0, MAX_MS)
    disk_ms = finite_number("disk_ms", disk_ms, 0, MAX_MS)
    return (slot_loads * slot_ms + disk_loads * disk_ms) / 1000
