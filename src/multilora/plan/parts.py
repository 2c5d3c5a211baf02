"""The parts of a plan's answer: numbers with their bounds."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, le=2**62)]
Positive = Annotated[int, Field(ge=1, le=2**62)]
Ms = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=4096)]


class Part(BaseModel):
    """A part of an answer: it never changes, and knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Slo(Part):
    """What tenants are promised: TTFT at the 99th percentile, by tenant.

    share is how many of the tenants must meet it; itl_ms, where given, is
    the mean gap between tokens at the 99th percentile of requests.
    """

    ttft_p99_ms: Ms = 500
    share: Share = 1
    itl_ms: Ms | None = None


class Setting(Part):
    """The arguments of one engine, in vLLM's names."""

    max_loras: Positive
    max_lora_rank: Positive
    max_cpu_loras: Positive
    max_num_batched_tokens: Positive
    max_num_seqs: Positive


class Memory(Part):
    """Bytes of one GPU, and between which numbers the KV tokens will lie."""

    usable_bytes: Count
    weight_bytes: Count
    slot_bytes: Count
    overhead_low_bytes: Count
    overhead_high_bytes: Count
    kv_token_bytes: Count
    kv_tokens_low: Count
    kv_tokens_high: Count


class Tenant(Part):
    """A tenant's traffic, and what it meets on the engine of this answer.

    Rank 0 is requests of the base itself, by its own name. folder is where
    its adapter lies, where that is known. cause is the largest part of most
    of its requests above the SLO, None where there is
    none; gap_ms is None where every reply has one token.
    """

    name: Name
    rank: Count
    folder: str | None = None
    num_requests: Count
    requests_per_s: Rate
    mean_prompt_tokens: Rate
    mean_output_tokens: Rate
    p50_ms: Ms
    p99_ms: Ms
    gap_ms: Ms | None
    meets_slo: bool
    cause: str | None = None

    @property
    def is_base(self) -> bool:
        return self.rank == 0


class Outcome(Part):
    """How an engine, or all of them, serve the traffic; ms of TTFT.

    share is of the tenants that meet the SLO, hit_rate of the requests that
    needed no load.
    """

    p50_ms: Ms
    p99_ms: Ms
    gap_ms: Ms | None
    share: Share
    hit_rate: Share
    busy: Share
    num_slot_loads: Count
    num_disk_loads: Count


class Backup(Part):
    """A tenant whom an engine takes over if their own engine is lost."""

    name: Name
    rank: Positive
    folder: str | None = None

    @property
    def is_base(self) -> bool:
        return False


class Neighbour(Part):
    """The same plan with one dial moved; outcome None: it does not start."""

    dial: Name
    value: Positive
    outcome: Outcome | None


class Assumption(Part):
    """What was taken for granted, and what follows if it is otherwise.

    flips is true where the verdict on the SLO would be another.
    """

    what: Name
    instead: Name
    outcome: Outcome | None
    flips: bool


class Loss(Part):
    """What all tenants meet while one engine is lost; 1 is the first.

    num_late counts the tenants that miss the SLO then.
    """

    engine: Positive
    outcome: Outcome
    num_late: Count


class Routed(Part):
    """The chosen engines behind a router with one of routing's rules.

    num_engines_each is over how many engines a tenant's requests go, the
    mean over tenants. file is the one of the plan's files that sets such a
    router up, None where none does.
    """

    rule: Name
    file: Name | None
    p50_ms: Ms
    p99_ms: Ms
    share: Share
    num_late: Count
    num_slot_loads: Count
    num_engines_each: Rate
