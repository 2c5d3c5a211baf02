"""What would make a line start: each change alone, tried with the ledger."""

from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any, NamedTuple

from multilora.line.read import ServeLine
from multilora.memory.ledger import MemoryLedger, memory_ledger
from multilora.models.quantisation import quantization_of
from multilora.models.shapes import ModelShape
from multilora.models.versions import DEFAULT_VERSION, nearest_rule
from multilora.plan.parts import Count, Name, Part

_MOST_PAIRS = 6
_LEAST_RANK = 8
_SHORTEST = 512  # a max_model_len below it helps nobody
_MORE_GPUS = (2, 4, 8, 16)
_MOST_SHARE = 0.95
_SMALL_BATCH = {"max_num_seqs": 64, "max_num_batched_tokens": 2048}


class Change(Part):
    """An argument with which the line starts, and the KV tokens then.

    at_cost is what it takes from somebody.
    """

    argument: Name
    at_cost: str
    kv_tokens_low: Count
    kv_tokens_high: Count


def ledger_of(
    line: ServeLine, shape: ModelShape, card_gib: float
) -> MemoryLedger:
    """Return the MemoryLedger of a line on a card of card_gib."""
    return memory_ledger(
        shape, card_gib, line.max_loras, line.max_lora_rank, **line.options
    )


def largest_length(
    line: ServeLine, shape: ModelShape, card_gib: float, most: int
) -> int | None:
    """Return the largest max_model_len up to most that surely starts."""

    return _largest(
        most,
        lambda length: _starts(
            line.changed(max_model_len=length), shape, card_gib
        ),
    )


class _Way(NamedTuple):
    """An argument that may help, with its values, the mildest first."""

    name: str
    values: tuple[Any, ...]
    at_cost: str

    def argument(self, value: Any) -> str:
        said = f"--{self.name.replace('_', '-')}"
        return said if value is True else f"{said} {value}"


def changes(
    line: ServeLine, shape: ModelShape, card_gib: float, longest: int
) -> tuple[Change, ...]:
    """Return the Changes with which the line surely starts, each alone.

    longest is the max_model_len that does not fit. Where no argument alone
    is enough, each is tried with the largest max_model_len that fits then,
    and where that is not enough either, two of them.
    """
    ways = [way for way in _ways(line, shape) if way.values]
    on = (shape, card_gib)
    alone = [
        *_shorter(line, *on, longest),
        *(
            _at_full_length((_exact(way, line, *on),), line, *on)
            for way in ways
        ),
    ]
    if found := [change for change in alone if change]:
        return tuple(found)
    for num in (1, 2):
        sets = [
            some
            for some in combinations(ways, num)
            if _may_help(some, line, *on, longest)
        ]
        each = [
            _at_full_length(some, line, *on)
            or _at_shorter_length(some, line, *on, longest)
            for some in sets
        ]
        if found := [change for change in each if change]:
            return tuple(found[:_MOST_PAIRS])
    return ()


def _exact(way: _Way, line, shape, card_gib) -> _Way:
    """A way with the most slots that start, not only about half as many."""
    if way.name != "max_loras":
        return way
    most = _largest(
        line.max_loras - 1,
        lambda num: _starts(line.changed(max_loras=num), shape, card_gib),
    )
    return way._replace(values=(most,) if most else ())


def _may_help(ways, line, shape, card_gib, longest):
    """Whether the last values of some ways start with a short request."""
    short = line.changed(max_model_len=min(longest, _SHORTEST))
    ends = [
        way
        if way.name == "tensor_parallel_size"  # not all divide the model
        else way._replace(values=way.values[-1:])
        for way in ways
    ]
    return any(
        _starts(other, shape, card_gib)
        for _, other in _with_values(ends, short)
    )


def _at_full_length(ways, line, shape, card_gib) -> Change | None:
    """The mildest values of some ways with which a line starts."""
    for values, other in _with_values(ways, line):
        if _starts(other, shape, card_gib):
            return _change(*_told(ways, values), other, shape, card_gib)
    return None


def _at_shorter_length(ways, line, shape, card_gib, longest):
    """The same, with the largest max_model_len that fits then."""
    for values, other in _with_values(ways, line):
        for change in _shorter(other, shape, card_gib, longest):
            said, cost = _told(ways, values)
            return change.model_copy(
                update={
                    "argument": f"{said} {change.argument}",
                    "at_cost": f"{cost}; {change.at_cost}",
                }
            )
    return None


def _with_values(ways, line):
    for values in product(*(way.values for way in ways)):
        names = (way.name for way in ways)
        yield values, line.changed(**dict(zip(names, values, strict=True)))


def _told(ways, values) -> tuple[str, str]:
    said = (w.argument(value) for w, value in zip(ways, values, strict=True))
    return " ".join(said), "; ".join(way.at_cost for way in ways)


def _shorter(line, shape, card_gib, longest) -> Iterator[Change]:
    """The largest length below longest that starts, in whole KiB."""
    length = largest_length(line, shape, card_gib, longest - 1)
    if length is None or length < _SHORTEST:
        return
    length -= length % (1024 if length >= 1024 else 16)
    other = line.changed(max_model_len=length)
    said = f"--max-model-len {length}"
    yield _change(said, "no longer requests", other, shape, card_gib)


def _change(said, at_cost, line, shape, card_gib):
    ledger = ledger_of(line, shape, card_gib)
    return Change(
        argument=said,
        at_cost=at_cost,
        kv_tokens_low=ledger.kv_tokens_low,
        kv_tokens_high=ledger.kv_tokens_high,
    )


def _ways(line: ServeLine, shape) -> Iterator[_Way]:
    options: Any = line.options
    rule = nearest_rule(options.get("vllm_version", DEFAULT_VERSION))
    if line.max_loras is not None:
        slots = line.max_loras
        fewer = tuple(slots >> n for n in range(1, slots.bit_length()))
        yield _Way("max_loras", fewer, "fewer adapters in one batch")
        lower = tuple(
            r
            for r in rule.ranks[::-1]
            if _LEAST_RANK <= r < line.max_lora_rank
        )
        yield _Way("max_lora_rank", lower, "no adapters of a higher rank")
    size = options.get("tensor_parallel_size", 1)
    more = tuple(num for num in _MORE_GPUS if num > size)
    yield _Way("tensor_parallel_size", more, "more GPUs")
    if options.get("kv_cache_dtype", "auto") == "auto":
        yield _Way("kv_cache_dtype", ("fp8",), "KV of 8 bits")
    share = options.get("gpu_memory_utilization", rule.gpu_memory_utilization)
    if (share or 0) < _MOST_SHARE:
        yield _Way("gpu_memory_utilization", (_MOST_SHARE,),
                   "the GPU is for nothing else")  # fmt: skip
    if quantization_of(shape.config, options.get("quantization")) is None:
        yield _Way("quantization", ("fp8",), "weights of 8 bits")
    for name, value in _SMALL_BATCH.items():
        if options.get(name, value + 1) > value:
            yield _Way(name, (value,), "smaller batches")
    if not options.get("enforce_eager"):
        yield _Way("enforce_eager", (True,), "slower steps: no CUDA graphs")


def _starts(line, shape, card_gib):
    """Whether a line surely starts; not where vLLM refuses its settings."""
    try:
        return ledger_of(line, shape, card_gib).pool_low.can_serve_longest
    except ValueError:
        return False


def _largest(most: int, works: Callable[[int], bool]) -> int | None:
    """The largest number from 1 to most that works, where less works too."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if works(middle) else (low, middle - 1)
    return low or None
