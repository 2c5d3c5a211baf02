"""What a plan says, as it is printed, written to a file and read back."""

from typing import Annotated, Literal

from pydantic import Field

from multilora.arguments import integer, shown
from multilora.plan.parts import (
    Assumption,
    Backup,
    Loss,
    Memory,
    Name,
    Neighbour,
    Outcome,
    Part,
    Positive,
    Routed,
    Setting,
    Slo,
    Tenant,
)

__all__ = [
    "FORMAT",
    "VERSION",
    "Assumption",
    "Backup",
    "Engine",
    "Loss",
    "Memory",
    "Neighbour",
    "Outcome",
    "Plan",
    "Routed",
    "Setting",
    "Slo",
    "Tenant",
    "engine_of",
]

FORMAT: Literal["multilora plan"] = "multilora plan"
VERSION: Literal[1] = 1


class Engine(Part):
    """One engine: its arguments, who is on it, its memory, what they meet.

    backups are the tenants that it serves while their own engine is lost.
    """

    setting: Setting
    memory: Memory
    outcome: Outcome
    tenants: tuple[Tenant, ...]
    backups: tuple[Backup, ...] = ()

    @property
    def known(self) -> tuple[Tenant | Backup, ...]:
        """All whose adapters it must know: its tenants, then its backups."""
        return (*self.tenants, *self.backups)


class Plan(Part):
    """The answer: engines, what they meet, and how sure that is.

    model is what `vllm serve` gets, more_args what it gets beside the dials,
    such as --quantization and fp8. cost says where the times of a step are
    from, notes what a reader must know. is_met is the verdict on the SLO; with
    spare 1 it holds for every loss of one engine too. losses and routers are
    empty where they were not asked for or there is one engine.
    """

    format: Literal["multilora plan"] = FORMAT
    version: Literal[1] = VERSION
    model: Name
    vllm_version: Name
    card_gib: Annotated[float, Field(gt=0, le=1e6)]
    tensor_parallel_size: Positive
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)]
    max_model_len: Positive
    more_args: tuple[str, ...] = ()
    slo: Slo
    seconds: Annotated[float, Field(ge=0, le=1e12)]
    num_requests: Positive
    cost: Name
    is_met: bool
    outcome: Outcome
    engines: tuple[Engine, ...] = Field(min_length=1)
    neighbours: tuple[Neighbour, ...]
    assumptions: tuple[Assumption, ...]
    notes: tuple[str, ...]
    spare: Annotated[int, Field(ge=0, le=1)] = 0
    losses: tuple[Loss, ...] = ()
    routers: tuple[Routed, ...] = ()

    @property
    def num_tenants(self) -> int:
        """Names asked for, the base's too; one of two engines counts once."""
        return len({one.name for one in self.tenants})

    @property
    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants, highest p99 first; one of two engines comes twice."""
        found = [one for engine in self.engines for one in engine.tenants]
        return tuple(sorted(found, key=lambda one: -one.p99_ms))


def engine_of(plan: Plan, number: int) -> Engine:
    """Return an engine of a plan by its number, 1 for the first.

    Raises TypeError for no Plan, ValueError for a number that no engine has.
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"plan is {shown(plan)}, but must be a Plan")
    return plan.engines[integer("number", number, 1, len(plan.engines)) - 1]
