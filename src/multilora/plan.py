"""Numbers into advice: slots by traffic, slots by rank, host memory."""

from typing import NamedTuple

from multilora.adapter_file import adapter_params
from multilora.arguments import choice, finite_number, integer, items
from multilora.hitrate import hit_rate_curve
from multilora.ledger import memory_ledger
from multilora.reservation import DEFAULT_VERSION, SLOT_RULES
from multilora.traffic import MAX_ADAPTERS

MAX_SLOTS = 1024  # rows of a table; an engine of so many slots is a slip


class SlotOption(NamedTuple):
    """One value of max_loras, and what it takes and gives.

    uniform_rate is what it would hit if all tenants asked alike.
    """

    max_loras: int
    slot_bytes: int
    kv_tokens: int
    can_start: bool
    hit_rate: float
    uniform_rate: float

    @property
    def loads_per_request(self):
        """Misses a request under LRU. A busy vLLM can load far more."""
        return 1 - self.hit_rate


class Advice(NamedTuple):
    """The option to take, or None, and why.

    best is the option with the most hits among those that fit, or None.
    """

    option: SlotOption | None
    best: SlotOption | None
    reason: str


class RankOption(NamedTuple):
    """One value of max_lora_rank, and how many tenants it serves."""

    max_lora_rank: int
    num_served: int
    slot_bytes: int
    kv_tokens: int
    can_start: bool


def slot_options(
    shape, card_gib, trace, max_lora_rank=16, slot_counts=None, **engine
):
    """Return a SlotOption for each value of max_loras, smallest first.

    Memory is memory_ledger's, an upper bound on KV tokens; hits are those
    of an LRU cache on the trace (adapter ids, -1 for the base).
    slot_counts None is every count from 1 to the trace's adapters, at most
    MAX_SLOTS. engine holds more arguments of memory_ledger, by name.
    Raises ValueError for an empty trace, a card that is no size, slot
    counts out of range, and as memory_ledger does.
    """
    rates = hit_rate_curve(trace)
    if slot_counts is None:
        slot_counts = range(1, min(len(rates), MAX_SLOTS) + 1)
    counts = _slot_counts(slot_counts)
    return [
        _slot_option(shape, card_gib, count, max_lora_rank, rates, engine)
        for count in counts
    ]


def _slot_counts(slot_counts):
    counts = [
        integer("slot_counts", count, 1, MAX_SLOTS)
        for count in items("slot_counts", slot_counts, object)
    ]
    if not counts:
        raise ValueError("slot_counts is empty, but must hold at least one")
    return sorted(set(counts))


def _slot_option(shape, card_gib, max_loras, max_lora_rank, rates, engine):
    ledger = memory_ledger(shape, card_gib, max_loras, max_lora_rank, **engine)
    return SlotOption(
        max_loras,
        ledger.slot_bytes,
        ledger.kv_tokens,
        ledger.can_start,
        float(rates[min(max_loras, len(rates)) - 1]),
        min(1.0, max_loras / len(rates)),
    )


def recommend(options, wanted_hit_rate, min_kv_tokens=1):
    """Return the Advice for a table of slot_options.

    Its option is the smallest max_loras that starts, leaves min_kv_tokens
    and reaches wanted_hit_rate (0 to 1). Where none does, the reason names
    what is in the way: the card, or the traffic. Raises ValueError for an
    empty table, a rate outside 0 to 1 and min_kv_tokens below 1.
    """
    options = sorted(items("options", options, SlotOption))
    wanted = finite_number("wanted_hit_rate", wanted_hit_rate, 0, 1)
    least = integer("min_kv_tokens", min_kv_tokens, minimum=1)
    if not options:
        raise ValueError("options is empty, but must hold at least one")
    fits = [o for o in options if o.can_start and o.kv_tokens >= least]
    hits = [o for o in options if o.hit_rate >= wanted]
    both = [o for o in fits if o.hit_rate >= wanted]
    best = max(fits, key=lambda o: (o.hit_rate, -o.max_loras), default=None)
    if both:
        return Advice(both[0], best, _chosen(both[0]))
    if not fits:
        return Advice(None, None, _card_full(options[0], least))
    if not hits:
        return Advice(None, best, _out_of_reach(options[-1], wanted))
    return Advice(None, best, _between(best, hits[0], wanted, least))


def _chosen(option):
    return (
        f"max_loras={option.max_loras} hits {_percent(option.hit_rate)} and "
        f"leaves at most {option.kv_tokens:,} KV tokens"
    )


def _card_full(smallest, least):
    return (
        f"the card is full: max_loras={smallest.max_loras} leaves "
        f"{smallest.kv_tokens:,} KV tokens and {least:,} are wanted"
    )


def _out_of_reach(largest, wanted):
    return (
        f"the traffic does not give it: max_loras={largest.max_loras}, the "
        f"most in the table, hits {_percent(largest.hit_rate)} and "
        f"{_percent(wanted)} is wanted"
    )


def _between(best, needed, wanted, least):
    reason = (
        f"the card is full: {_percent(wanted)} takes max_loras="
        f"{needed.max_loras}, which leaves {needed.kv_tokens:,} KV tokens "
        f"where {least:,} are wanted; max_loras={best.max_loras} fits and "
        f"hits {_percent(best.hit_rate)}"
    )
    if best.hit_rate <= best.uniform_rate + 0.05:
        reason += (
            ", no more than if all tenants asked alike: send fewer tenants "
            "to this engine"
        )
    return reason


def _percent(rate):
    return f"{100 * rate:.1f} %"


def rank_options(shape, card_gib, ranks, max_loras, **engine):
    """Return a RankOption for each max_lora_rank that tenants ask for.

    ranks holds each tenant's own rank; vLLM rounds it up to a size that
    slots come in. engine holds more arguments of memory_ledger, by name.
    Raises ValueError for no tenants or a rank that no slot can hold.
    """
    version = engine.get("vllm_version", DEFAULT_VERSION)
    choice("vllm_version", version, SLOT_RULES)
    allowed = SLOT_RULES[version].ranks
    ranks = [
        integer("ranks", rank, 1, max(allowed))
        for rank in items("ranks", ranks, object)
    ]
    if not ranks:
        raise ValueError("ranks is empty, but must hold each tenant's rank")
    steps = {min(size for size in allowed if size >= r) for r in ranks}
    options = []
    for step in sorted(steps):
        ledger = memory_ledger(shape, card_gib, max_loras, step, **engine)
        options.append(
            RankOption(
                step,
                sum(rank <= step for rank in ranks),
                ledger.slot_bytes,
                ledger.kv_tokens,
                ledger.can_start,
            )
        )
    return options


def cpu_tier_bytes(
    shape, num_adapters, rank, target_modules="all-linear", bytes_per_param=2
):
    """Return the host memory of num_adapters in vLLM's CPU tier, in bytes.

    A copy there has the adapter's own rank and modules, not a slot's, in
    the engine's dtype whatever the file's; bytes_per_param is that dtype's.
    Each worker process of a tensor-parallel engine keeps its own copies.
    One adapter more can be there for a moment: vLLM reads before it evicts.
    Source: vLLM 0.32.0, LoRAModel.from_lora_tensors and
    LRUCacheWorkerLoRAManager.add_adapter; held against them by a test.
    Raises ValueError as adapter_params does.
    """
    num = integer("num_adapters", num_adapters, 1, MAX_ADAPTERS)
    width = integer("bytes_per_param", bytes_per_param, minimum=1)
    return num * width * adapter_params(shape, rank, target_modules)
