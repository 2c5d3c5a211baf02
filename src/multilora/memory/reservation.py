"""What vLLM reserves for adapter slots at start-up, version by version.

Every supported module gets max_loras slots of max_lora_rank, whether or not
an adapter ever fills them. The rules were read in vLLM's own layer classes
at the three versions below; another version is refused, not guessed.
"""

from dataclasses import dataclass, field

from multilora.arguments import choice, integer, names
from multilora.models.shapes import (
    ALL_LINEAR,
    ATTENTION,
    EMBEDDINGS,
    MLP,
    ROUTER,
    ModelShape,
    TargetModules,
    check_shape,
)

PACKED = {
    "qkv_proj": ("q_proj", "k_proj", "v_proj"),
    "gate_up_proj": ("gate_proj", "up_proj"),
}
# vLLM keeps the MLPs of all experts in one module.
_PACKED_MIXTURE = {"qkv_proj": PACKED["qkv_proj"], "experts": MLP}
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True)
class SlotRule:
    """How one vLLM version sizes a slot.

    `wraps_embeddings` and `supports` list architectures, `filter_wraps` those
    whose embedding or lm_head gets slots if a filter names it, though it
    would get none without a filter; `extra_vocab` is
    the number of added-token rows a slot holds in each of `extra_tables`
    tables, `vocab_padding` what lm_head's rows are padded to.
    """

    ranks: tuple[int, ...]
    wraps_embeddings: tuple[str, ...]
    supports: tuple[str, ...]
    extra_vocab: int = 0
    extra_tables: int = 0
    vocab_padding: int = 1
    has_target_filter: bool = True
    filter_wraps: dict[str, tuple[str, ...]] = field(default_factory=dict)


SLOT_RULES = {
    "0.8.5": SlotRule(
        ranks=_RANKS,
        wraps_embeddings=("llama", "mistral", "internlm"),
        supports=("llama", "mistral", "qwen2", "gemma2", "internlm"),
        extra_vocab=256,
        # The LoRA embedding, the LoRA lm_head, and the base's own embedding,
        # which 0.8.5 lengthens by 256 rows a slot (llama.py, line 307).
        extra_tables=3,
        vocab_padding=256,
        has_target_filter=False,
    ),
    "0.22.1": SlotRule(
        ranks=(1, *_RANKS),
        wraps_embeddings=("llama", "internlm"),
        supports=("llama", "mistral", "qwen2", "gemma2", "internlm"),
    ),
    "0.32.0": SlotRule(
        ranks=(1, *_RANKS),
        wraps_embeddings=("llama", "mixtral"),
        supports=("llama", "mistral", "qwen2", "gemma2", "mixtral"),
        # A filter is asked instead of the model's own list of embeddings.
        # Gemma2 has no lm_head of its own, so none can be named.
        filter_wraps={
            "embed_tokens": ("mistral", "qwen2", "gemma2"),
            "lm_head": ("mistral", "qwen2"),
        },
    ),
}
DEFAULT_VERSION = "0.32.0"


def slot_reservation_bytes(
    shape: ModelShape,
    max_loras: int,
    max_lora_rank: int,
    bytes_per_param: int = 2,
    target_modules: TargetModules | None = None,
    vllm_version: str = DEFAULT_VERSION,
) -> int:
    """Return the bytes that vLLM sets aside for all adapter slots.

    max_loras × max_lora_rank × the summed (in + out) of every module that
    this version wraps, × bytes_per_param; the embedding and lm_head count
    where the version wraps them for this architecture. Where they do, 0.8.5
    adds three tables of 256 × hidden_size a slot, whatever the rank.
    target_modules is the engine's --lora-target-modules (not in 0.8.5):
    naming one of q, k, v (or of gate, up) reserves the whole packed group,
    because vLLM fuses it. Of a mixture every expert gets slots, and so does
    the router; its filter names attention modules, "gate" and "experts".
    One engine, tensor parallel size 1.
    Raises ValueError for a rank vLLM does not accept, an unknown version,
    module or architecture.
    """
    rule = SLOT_RULES[choice("vllm_version", vllm_version, SLOT_RULES)]
    choice(
        f"architecture in vLLM {vllm_version}",
        check_shape(shape).architecture,
        rule.supports,
    )
    slots = integer("max_loras", max_loras, minimum=1)
    rank = integer("max_lora_rank", max_lora_rank)
    choice("max_lora_rank", rank, rule.ranks)
    width = integer("bytes_per_param", bytes_per_param, minimum=1)
    if target_modules is not None and not rule.has_target_filter:
        raise ValueError(
            f"target_modules is given, but vLLM {vllm_version} has no "
            "--lora-target-modules; leave it None"
        )
    reserved = reserved_modules(shape, target_modules, vllm_version)
    per_rank = sum(_widths(shape, rule, name) for name in reserved)
    if set(EMBEDDINGS) & set(reserved):
        extra = rule.extra_vocab * rule.extra_tables * shape.hidden_size
    else:
        extra = 0
    return slots * width * (rank * per_rank + extra)


def reserved_modules(
    shape: ModelShape,
    target_modules: TargetModules | None = None,
    vllm_version: str = DEFAULT_VERSION,
) -> tuple[str, ...]:
    """Return the modules that get slots, packed groups completed."""
    rule = SLOT_RULES[choice("vllm_version", vllm_version, SLOT_RULES)]
    wraps = check_shape(shape).architecture in rule.wraps_embeddings
    is_mixture = bool(shape.num_experts)
    supported: tuple[str, ...] = ALL_LINEAR + ((ROUTER,) if is_mixture else ())
    supported += EMBEDDINGS if wraps else ()
    if target_modules is None:
        return supported
    supported += tuple(
        table
        for table, architectures in rule.filter_wraps.items()
        if shape.architecture in architectures
    )
    if isinstance(target_modules, str) and target_modules == "all-linear":
        target_modules = (*ATTENTION, "gate_up_proj", "down_proj")
        if is_mixture:
            target_modules = (*ATTENTION, "experts", ROUTER)
    wanted = set(names("target_modules", target_modules))
    packed = _PACKED_MIXTURE if is_mixture else PACKED
    allowed = [name for name in supported if not (is_mixture and name in MLP)]
    for name in sorted(wanted):
        choice("target_modules", name, (*allowed, *packed))
    for group, members in packed.items():
        if wanted & {group, *members}:
            wanted |= set(members)
    return tuple(name for name in supported if name in wanted)


def _widths(shape, rule, name):
    """Summed in + out of one module over all layers, in elements."""
    vocab = shape.vocab_size + rule.extra_vocab
    if name == "lm_head":
        vocab = -(-vocab // rule.vocab_padding) * rule.vocab_padding
    if name in EMBEDDINGS:
        return vocab + shape.hidden_size
    (linear,) = [shape.router] if name == ROUTER else shape.select([name])
    widths = linear.count * (linear.in_features + linear.out_features)
    return shape.num_layers * widths
