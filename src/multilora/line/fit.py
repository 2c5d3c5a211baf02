"""Does a line start on a card: KV tokens, requests at once, what to change."""

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from pydantic import Field

from multilora.arguments import finite_number, integer, items, shown
from multilora.line.changes import Change, changes, largest_length, ledger_of
from multilora.line.read import ServeLine
from multilora.line.refusals import refusals
from multilora.memory.kv import KvPool
from multilora.memory.ledger import MemoryLedger
from multilora.memory.settings import EngineSettings
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.versions import default_batch
from multilora.plan.parts import Count, Memory, Name, Part, Positive

Verdict = Literal["starts", "may start", "does not start"]
SURE, UNSURE, NOT = get_args(Verdict)
_SHORT_REQUEST = 2048
_MOST_SLOTS = 2**16  # more is a slip, and its bytes are past counting
_NOTHING_HELPS = (
    "no one of max_model_len, slots, rank, GPUs, formats and batches, and no "
    "two of these, would make it start on such cards"
)
_AS_A100 = "A100"  # vLLM's batch defaults of a card that is named so


class Requests(Part):
    """How many requests of one length the KV cache holds at once."""

    tokens: Positive
    low: Count
    high: Count


class Fit(Part):
    """What a line comes to on one card, per GPU.

    reasons say why it does not start, or why that is not sure. needed_tokens
    is max_model_len: without KV for one such request vLLM ends. requests
    are those the KV cache holds; max_num_seqs may run at once. changes are
    what makes it start for sure, each alone; notes what a reader must know.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    model: Name
    vllm_version: Name
    card_gib: Annotated[float, Field(gt=0, le=1e6)]
    num_gpus: Positive
    max_loras: Count
    max_lora_rank: Positive
    max_model_len: Positive
    max_num_batched_tokens: Positive
    max_num_seqs: Positive
    memory: Memory
    requests: tuple[Requests, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def fit(
    line: ServeLine,
    shape: ModelShape,
    card_gib: float,
    request_tokens: Iterable[int] = (),
) -> Fit:
    """Return the Fit of a line on cards of card_gib each.

    shape is the ModelShape of line.model. request_tokens are lengths of
    requests, prompt and reply, besides max_model_len and 2,048 tokens.
    Raises ValueError for settings that memory_ledger refuses, and lengths
    below 1.
    """
    check_shape(shape)
    if not isinstance(line, ServeLine):
        raise TypeError(
            f"line is {shown(line)}, but must be a ServeLine; make one with "
            "serve_line"
        )
    asked = [
        integer("request_tokens", length, 1, 2**24)
        for length in items("request_tokens", request_tokens, object)
    ]
    finite_number("card_gib", card_gib, 1e-3, 1e6)
    if line.max_loras is not None:
        integer("max_loras", line.max_loras, 1, _MOST_SLOTS)
    line, notes = _with_length(line, shape, card_gib)
    ledger = ledger_of(line, shape, card_gib)
    settings = EngineSettings(card_gib, **line.options)
    longest = ledger.pool.max_model_len
    batched, sequences = settings.batch(longest)
    refused = refusals(line, shape)
    verdict = NOT if refused else _verdict(ledger)
    reasons = refused or _reasons(verdict, ledger)
    lengths = {longest, *asked}
    lengths |= {_SHORT_REQUEST} if longest > _SHORT_REQUEST else set()
    found: tuple[Change, ...] = ()
    if not refused and verdict != SURE:
        found = changes(line, shape, card_gib, longest)
        notes += [] if found else [_NOTHING_HELPS]
    return Fit(
        verdict=verdict,
        reasons=tuple(reasons),
        model=line.model,
        vllm_version=settings.vllm_version,
        card_gib=card_gib,
        num_gpus=settings.parallel.num_gpus,
        max_loras=line.max_loras or 0,
        max_lora_rank=line.max_lora_rank,
        max_model_len=longest,
        max_num_batched_tokens=batched,
        max_num_seqs=sequences,
        memory=memory_of(ledger),
        requests=tuple(
            _requests(line, shape, card_gib, length, batched)
            for length in sorted(lengths, reverse=True)
        ),
        changes=found,
        notes=(
            *notes,
            *line.notes,
            *ledger.notes,
            *_on_defaults(line, settings),
        ),
    )


def memory_of(ledger: MemoryLedger) -> Memory:
    """Return a ledger's bytes as the part of an answer."""
    return Memory(
        usable_bytes=ledger.usable_bytes,
        weight_bytes=ledger.weight_bytes + ledger.buffer_bytes,
        slot_bytes=ledger.slot_bytes,
        overhead_low_bytes=ledger.overhead.low_bytes,
        overhead_high_bytes=ledger.overhead.high_bytes,
        kv_token_bytes=ledger.kv_token_bytes,
        kv_tokens_low=ledger.kv_tokens_low,
        kv_tokens_high=ledger.kv_tokens_high,
    )


def _verdict(ledger) -> Verdict:
    if ledger.pool_low.can_serve_longest:
        return SURE
    return UNSURE if ledger.pool_high.can_serve_longest else NOT


def _reasons(verdict, ledger):
    if verdict == SURE:
        return []
    longest = ledger.pool.max_model_len
    high = ledger.kv_tokens_high
    if not high:
        told = ledger.told().removeprefix("it does not start: ")
        if ledger.can_start:
            told = "weights, slots and what a step takes leave no KV block"
        return [told]
    found = f"{ledger.kv_tokens_low:,} to {high:,} KV tokens remain"
    need = f"one request of max_model_len = {longest:,} must fit"
    return [f"{found}, and {need}"]


def _with_length(line: ServeLine, shape, card_gib):
    """The line with the max_model_len that vLLM would take; notes on it."""
    own = shape.max_position_embeddings
    if line.is_fitted:
        longest = largest_length(line, shape, card_gib, own or 2**20)
        if longest is None:
            return line, ["--max-model-len auto: not even one token fits"]
        said = f"--max-model-len auto: at least {longest:,} tokens fit"
    elif line.options.get("max_model_len") is None and own:
        longest = own
        said = (
            f"max_model_len is the config's {own:,} (max_position_embeddings)"
        )
    else:
        return line, []
    return line.changed(max_model_len=longest), [said]


def _requests(line: ServeLine, shape, card_gib, length, batched):
    other = line.changed(max_model_len=length, max_num_batched_tokens=batched)
    ledger = ledger_of(other, shape, card_gib)
    low, high = map(_num_at_once, (ledger.pool_low, ledger.pool_high))
    return Requests(tokens=length, low=low, high=high)


def _num_at_once(pool: KvPool) -> int:
    """One block of a pool is never given to a request."""
    return max(0, pool.num_blocks - 1) // pool.blocks_per_request


def _on_defaults(line: ServeLine, settings: EngineSettings):
    """Where a card's name decides what vLLM takes by default."""
    said = ("max_num_batched_tokens", "max_num_seqs")
    if all(name in line.options for name in said):
        return []
    version, gib = settings.vllm_version, settings.card_gib
    usual, other = (
        default_batch(version, card, gib) for card in ("", _AS_A100)
    )
    if usual == other:
        return []
    tokens = other.server or "the larger of max_model_len and 2048"
    return [
        "max_num_batched_tokens and max_num_seqs are by default "
        f"{usual.server} and {usual.max_num_seqs} on such a card, on an A100 "
        f"{tokens} and {other.max_num_seqs}"
    ]
