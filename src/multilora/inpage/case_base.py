"""The base of a case: what its config.json says, and what a card holds."""

import re

from multilora.adapters.file import adapter_params
from multilora.inpage.blocks import Block, Table
from multilora.inpage.case_asked import NO_NAME, CaseAsked
from multilora.inpage.case_files import CaseFiles, check_config_size
from multilora.inpage.pictures import memory_bars
from multilora.memory.kv import kv_bytes_per_token
from multilora.memory.ledger import MemoryLedger, memory_ledger
from multilora.models.named import shape_named
from multilora.models.shapes import ModelShape
from multilora.plan.memory_parts import memory_parts
from multilora.plan.options import kv_tokens_to_start
from multilora.plan.played import memory_of
from multilora.units import GIB, format_bytes

SHAPE, MEMORY = "The base", "Slots and memory"
STOPS = (1, 4, 8, 16, 32, 64, 128)
BARS = 4  # rows of the picture
_NAME = re.compile(r"[\w./][\w./:@+-]{0,199}")


def shape_of(files: CaseFiles, asked: CaseAsked) -> ModelShape:
    """Return the ModelShape of a case, by its config.json or else by name.

    Raises ValueError for a config.json that is none, and for a name that
    does not come along.
    """
    if files.config is not None:
        check_config_size(files.config)
        try:
            return ModelShape.from_config(files.config, asked.model or None)
        except ValueError as error:
            said = str(error).replace(str(files.config), "config.json")
            raise ValueError(said) from None
    return shape_named(asked.model)[0]


def name_in(shape: ModelShape) -> str:
    """Return the name that a config.json has for its model, or NO_NAME.

    NO_NAME also for a name that no `vllm serve` line can hold.
    """
    named = shape.config.get("_name_or_path")
    if isinstance(named, str) and _NAME.fullmatch(named):
        return named
    return NO_NAME


def shape_block(shape: ModelShape, asked: CaseAsked) -> Block:
    """Return what a config.json says, in the words of the book."""
    experts = (
        f" {shape.num_experts} experts in a layer, "
        f"{shape.num_experts_per_token} of them for each token."
        if shape.num_experts
        else ""
    )
    kv = kv_bytes_per_token(shape)
    adapter = 2 * adapter_params(shape, asked.rank, "all-linear")
    heads = f"{shape.num_heads} heads, {shape.num_kv_heads} of them for KV"
    rows = [
        ("model_type", shape.architecture),
        ("parameters", f"{shape.num_params:,}"),
        ("layers", f"{shape.num_layers}"),
        ("width", f"{shape.hidden_size:,}"),
        ("attention", heads),
        ("longest context", f"{shape.max_position_embeddings:,} tokens"),
        ("KV cache of a token", format_bytes(kv)),
        (f"an adapter of rank {asked.rank}, 16 bits", format_bytes(adapter)),
    ]
    said = [
        f"{shape.name} has {shape.num_params / 1e9:.2f} billion parameters in "
        f"{shape.num_layers} layers.{experts}"
    ]
    numbers = {
        "num_params": shape.num_params,
        "num_layers": shape.num_layers,
        "kv_token_bytes": kv,
        "adapter_bytes": adapter,
    }
    return Block(SHAPE, said, Table(("", "value"), rows), numbers=numbers)


def memory_block(
    shape: ModelShape, asked: CaseAsked, rank: int, num_adapters: int
) -> Block:
    """Return what 1, 4, 8, … slots of a rank leave of a card for KV.

    rank is max_lora_rank. num_adapters, where above 0, is a stop too.
    """
    card = asked.card_gib
    size = asked.tensor_parallel_size
    stops = sorted(
        {*STOPS, *([num_adapters] if 0 < num_adapters <= 1024 else [])}
    )
    ledgers = {
        slots: memory_ledger(
            shape, card, slots, rank, tensor_parallel_size=size
        )
        for slots in stops
    }
    longest = shape.max_position_embeddings
    needed = kv_tokens_to_start(longest) if longest else 0
    starts = {n: led.kv_tokens_low >= needed for n, led in ledgers.items()}
    first = ledgers[stops[0]]
    rows = [
        (
            f"{slots}",
            format_bytes(ledger.slot_bytes),
            f"{ledger.kv_tokens_low:,}",
            "yes" if starts[slots] else "no",
        )
        for slots, ledger in ledgers.items()
    ]
    head = ("max_loras", "slots take", "KV tokens at least", "starts")
    return Block(
        MEMORY,
        _said(asked, rank, ledgers, starts, longest),
        Table(head, rows),
        _bars(asked, ledgers, num_adapters),
        numbers={
            "card_gib": card,
            "usable_bytes": first.usable_bytes,
            "weight_bytes": first.weight_bytes,
            "slot_bytes": {
                str(n): led.slot_bytes for n, led in ledgers.items()
            },
            "kv_tokens_low": {
                str(n): led.kv_tokens_low for n, led in ledgers.items()
            },
        },
    )


def _said(asked, rank, ledgers, starts, longest):
    each = f"each of {asked.tensor_parallel_size} GPUs" if (
        asked.tensor_parallel_size > 1
    ) else "the GPU"  # fmt: skip
    one = ledgers[1]
    said = [
        f"On {each}, {asked.card_gib:g} GiB, vLLM may use "
        f"{one.usable_bytes / GIB:.2f} GiB. The weights take "
        f"{one.weight_bytes / GIB:.2f}, a slot of max_lora_rank={rank} takes "
        f"{format_bytes(one.slot_bytes)}.",
    ]
    fitting = [slots for slots, does in starts.items() if does]
    if not fitting:
        said.append(
            "No engine starts there for sure with requests of the model's "
            f"whole {longest:,} tokens: {one.told()}. A larger card, more "
            "GPUs an engine or a smaller --max-model-len helps."
        )
    elif len(fitting) < len(starts):
        said.append(
            f"With up to {max(fitting)} of these slots vLLM surely starts, "
            f"with requests of up to {longest:,} tokens allowed."
        )
    return said + list(one.notes)


def _bars(asked, ledgers: dict[int, MemoryLedger], num_adapters):
    chosen = {1, num_adapters} & ledgers.keys()
    for slots in (16, 64, 8, 32):
        if len(chosen) < BARS:
            chosen.add(slots)
    rows = {}
    for slots in sorted(chosen):
        parts = memory_parts(asked, memory_of(ledgers[slots]))
        rows[f"{slots} slots" if slots > 1 else "1 slot"] = {
            part: size / GIB for part, size in parts.items()
        }
    kv = ", ".join(f"{row['KV']:.1f} GiB with {n}" for n, row in rows.items())
    return memory_bars(
        rows, asked.card_gib,
        f"Memory of one GPU of {asked.card_gib:g} GiB. KV surely gets {kv}.",
    )  # fmt: skip
