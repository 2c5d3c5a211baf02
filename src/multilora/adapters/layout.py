"""The tensors of the file that PEFT writes for an adapter."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from multilora.adapters.keys import PREFIX
from multilora.arguments import choice, integer, names, shown, text
from multilora.models.family import family
from multilora.models.layers import Layers, Module
from multilora.models.shapes import (
    EMBEDDINGS,
    ModelShape,
    TargetModules,
    check_shape,
)

DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_SAFETENSORS_NAME = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
DtypeAndShape = tuple[str, tuple[int, ...]]  # of one tensor


@dataclass(frozen=True)
class Layout:
    """How an adapter's file is laid out, where PEFT leaves a choice.

    fused_experts: all experts of a layer in one pair of matrices, as
    target_parameters makes them; None is what vLLM's class wants.
    with_towers: a wrapper's towers too, where they have a target's name.
    text_names: a wrapper's layers under the names of the text-only class.
    rank_pattern: {end of a module's path: its rank}, for single modules.
    vocab_size: rows of the embeddings, None for the base's own.
    """

    fused_experts: bool | None = None
    with_towers: bool = False
    text_names: bool = False
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    vocab_size: int | None = None


def adapter_tensors(
    shape: ModelShape,
    rank: int,
    target_modules: TargetModules,
    dtype: str = "F32",
    prefix: str = PREFIX,
    saved_in_full: tuple[str, ...] | list[str] | set[str] = (),
    full_dtype: str = "BF16",
    layout: Layout = Layout(),
) -> dict[str, DtypeAndShape]:
    """Return {key: (dtype, tensor shape)} of the file that PEFT writes."""
    rank = integer("rank", rank, minimum=1)
    dtype, full_dtype = dtype_of(dtype), dtype_of(full_dtype, "full_dtype")
    text("prefix", prefix)
    linears, tables = split_targets(check_shape(shape), target_modules)
    _check_layout(layout)
    saved = _saved(saved_in_full)
    typed: dict[str, DtypeAndShape] = {
        f"{prefix}{_named(key, shape, layout)}": (dtype, size)
        for key, size in _pairs(shape, rank, linears, tables, layout)
    }
    rows = layout.vocab_size or shape.vocab_size
    for name in saved:
        wrapped = ".base_layer" if name in tables else ""
        path = _named(table_path(shape, name), shape, layout)
        typed[f"{prefix}{path}{wrapped}.weight"] = (
            full_dtype,
            (rows, shape.hidden_size),
        )
    return typed


def split_targets(
    shape: ModelShape, target_modules: TargetModules
) -> tuple[set[str], set[str]]:
    """Return the linear layers and the embeddings that targets name."""
    if isinstance(target_modules, str):
        return {item.name for item in shape.select(target_modules)}, set()
    wanted = names("target_modules", target_modules)
    known = [item.name for item in shape.linears]
    for name in wanted:
        choice("target_modules", name, (*known, *EMBEDDINGS))
    return set(wanted) & set(known), set(wanted) & set(EMBEDDINGS)


def table_path(shape: ModelShape, name: str) -> str:
    """Return the path of embed_tokens or of lm_head in a base."""
    kind = "head" if name == "lm_head" else "table"
    for layers in shape.language_layers:
        for module in layers.modules:
            if module.kind == kind and not layers.is_repeated:
                return layers.places(module)[0]
    return "lm_head" if kind == "head" else "model.embed_tokens"


def dtype_of(dtype: str, name: str = "dtype") -> str:
    """Return a dtype by its name in safetensors."""
    choice(name, dtype, (*DTYPE_BYTES, *_SAFETENSORS_NAME))
    return _SAFETENSORS_NAME.get(dtype, dtype)


def _pairs(
    shape, rank, linears, tables, layout
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield (key without prefix, shape) of every A and B."""
    for layers in shape.layers:
        if layers.is_tower and not layout.with_towers:
            continue
        for path, sizes, num in _modules(layers, linears, shape, layout):
            own = _rank_of(path, rank, layout) * num
            if num > 1:
                path = path.removesuffix(".down_proj")
                path = path.replace(".gate_up_proj", ".base_layer")
            yield f"{path}.lora_A.weight", (own, sizes[0])
            yield f"{path}.lora_B.weight", (sizes[1], own)
    rows, hidden = layout.vocab_size or shape.vocab_size, shape.hidden_size
    if "embed_tokens" in tables:
        path = table_path(shape, "embed_tokens")
        yield f"{path}.lora_embedding_A", (rank, rows)
        yield f"{path}.lora_embedding_B", (hidden, rank)
    if "lm_head" in tables:
        path = table_path(shape, "lm_head")
        yield f"{path}.lora_A.weight", (rank, hidden)
        yield f"{path}.lora_B.weight", (rows, rank)


def _modules(layers: Layers, linears, shape, layout):
    """Yield (path, (in, out), experts in one pair) of the targets here."""
    chosen = [module for module in layers.modules if _is_chosen(
        module, linears)]  # fmt: skip
    is_fused = layout.fused_experts
    if is_fused is None:
        is_fused = any(module.kind == "gate_up" for module in chosen)
    singles = [item for item in chosen if not (is_fused and item.is_expert)]
    for module in singles:
        sizes = module.in_features, module.out_features
        for path in layers.places(module):
            above, _, name = path.rpartition(".")
            if not module.is_expert:
                yield path, sizes, 1
                continue
            for number in range(module.count):
                yield f"{above}.{number}.{name}", sizes, 1
    experts = [module for module in chosen if module.is_expert and is_fused]
    yield from _fused(layers, experts)


def _fused(layers, experts):
    """gate_up_proj is gate and up one below the other; down_proj is alone."""
    firsts = [module for module in experts if module.kind != "w2"]
    for group, name in ((firsts, "gate_up_proj"), (
        [module for module in experts if module.kind == "w2"], "down_proj",
    )):  # fmt: skip
        if not group:
            continue
        width = sum(module.out_features for module in group)
        for path in layers.places(group[0]):
            above = path.rpartition(".")[0]
            sizes = group[0].in_features, width
            yield f"{above}.{name}", sizes, group[0].count


def _is_chosen(module: Module, linears):
    if not module.is_linear or module.is_copy:
        return False
    if module.kind in ("gate", "conv", "plain", "head"):
        return False
    return module.name in linears


def _rank_of(path, rank, layout):
    for end, own in layout.rank_pattern.items():
        if path == end or path.endswith(f".{end}"):
            return own
    return rank


def _named(path, shape, layout):
    """A path under the text-only class's names, where the layout says so."""
    if layout.text_names:
        for old, new in family(shape.architecture).prefixes.items():
            if path.startswith(f"{new}."):
                return old + path.removeprefix(new)
    return path


def _check_layout(layout):
    if not isinstance(layout, Layout):
        raise TypeError(f"layout is {shown(layout)}, but must be a Layout")
    if layout.vocab_size is not None:
        integer("layout.vocab_size", layout.vocab_size, minimum=1)
    for end, rank in layout.rank_pattern.items():
        text("layout.rank_pattern", end)
        integer("layout.rank_pattern", rank, minimum=1)


def _saved(saved_in_full):
    if not isinstance(saved_in_full, tuple | list | set):
        raise TypeError(
            f"saved_in_full is {shown(saved_in_full)}, but must be a list "
            f"out of {', '.join(EMBEDDINGS)}"
        )
    return [
        choice("saved_in_full", name, EMBEDDINGS) for name in saved_in_full
    ]
