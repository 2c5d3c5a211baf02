"""What the labs read of a running engine, as plain records."""

from typing import NamedTuple


class Reply(NamedTuple):
    """One answer. adapter is None for the base; logprobs are the tokens'."""

    prompt: str
    adapter: str | None
    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]


class Load(NamedTuple):
    """One move of an adapter: "disk" into the CPU tier, "slot" into one."""

    kind: str
    adapter: str
    seconds: float


class Arrival(NamedTuple):
    """A request as it came to an engine. adapter is None for the base.

    at_ns is by time.monotonic_ns(), which all processes of a machine share;
    the id of an answer over the API is the start of request_id.
    """

    at_ns: int
    request_id: str
    adapter: str | None
    prompt_tokens: int
    max_tokens: int


class TimedStep(NamedTuple):
    """A step of an engine in another process, loads among its seconds.

    num_prompt_tokens are those of prompts, num_running the requests in it.
    Where vLLM schedules ahead, as on CUDA, steps overlap.
    """

    at_ns: int
    seconds: float
    num_running: int
    num_prompt_tokens: int
    load_seconds: float


class EngineStep(NamedTuple):
    """One step of the engine: who ran, who waited, what was loaded.

    ran and waited hold (request number, adapter name or None) pairs, in
    the scheduler's order; slots maps a slot's index to its adapter or None.
    """

    number: int
    ran: tuple[tuple[int, str | None], ...]
    waited: tuple[tuple[int, str | None], ...]
    loads: tuple[Load, ...]
    slots: dict[int, str | None]


class KVBlocks(NamedTuple):
    """The KV cache: blocks of block_tokens tokens, block_bytes each.

    Block 0 is vLLM's null block, so num_free is num_total - 1 when idle.
    """

    num_total: int
    num_free: int
    block_tokens: int
    block_bytes: int
