"""A model in one version of vLLM: its class there, the tables with slots."""

from multilora.arguments import shown
from multilora.models.served import served
from multilora.models.shapes import ModelShape
from multilora.models.version_rule import parsed_version
from multilora.models.versions import (
    architectures,
    embeddings_of,
    has_lora,
    lora_spans,
    takes_text_config,
)

# vLLM's class for models of which it has none of its own.
FALLBACK = "TransformersForCausalLM"


def architecture_of(shape: ModelShape, vllm_version: str) -> str:
    """Return the class by which this vLLM serves a model with LoRA.

    The one that config.json names in "architectures", else the family's.
    Raises ValueError, with one sentence, where it has no LoRA there.
    """
    given = shape.config.get("architectures") or []
    own = served(shape.architecture).get("classes", ())
    known = [
        name
        for name in (*(given if isinstance(given, list) else ()), *own)
        if isinstance(name, str) and name in architectures()
    ]
    for name in known:
        if has_lora(name, vllm_version):
            return name
    if FALLBACK in own and has_lora(FALLBACK, vllm_version):
        return FALLBACK
    named = next(iter(known or own or [FALLBACK]))
    _, used = parsed_version(vllm_version)
    spans = [f"{first} to {last}" for first, last in lora_spans(named)]
    when = f"; from {', '.join(spans)} vLLM does" if spans else ""
    raise ValueError(
        f"shape is of {shown(shape.architecture)}, whose class {named} "
        f"vLLM {used} does not serve with LoRA{when}"
    )


def tables_of(shape: ModelShape, vllm_version: str) -> tuple[str, ...]:
    """Return the embeddings that get slots in this version, unasked.

    Raises ValueError as architecture_of does.
    """
    name = architecture_of(shape, vllm_version)
    if not takes_text_config(name, vllm_version):
        return embeddings_of(name, vllm_version)
    inner = served(shape.language_model).get("classes", ())
    text = next((one for one in inner if one in architectures()), None)
    return embeddings_of(name, vllm_version, text)


def head_of(shape: ModelShape) -> str:
    """Return vLLM's name of the layer that makes logits, mostly lm_head."""
    return served(shape.language_model).get("head", "lm_head")


def can_name_tables(shape: ModelShape) -> tuple[str, ...]:
    """Return the tables that a filter may name: all that the class has.

    Some classes (Gemma 2's) have no lm_head of their own, and some that see
    (GLM-4.1V's) do not count it to the language model: none can be named.
    """
    head = head_of(shape)
    tables = [
        module.into
        for layers in shape.language_layers
        for module in layers.modules
        if module.is_table
    ]
    found = tuple(dict.fromkeys((*tables, head)))
    known = served(shape.architecture, shape.language_model)
    if known.get("has_lm_head", True):
        return found
    return tuple(name for name in found if name != head)
