"""The tensors that vLLM allocates for a model's weights on one GPU.

Modules that vLLM merges (q, k, v; gate and up; all experts) are one tensor
here too. Sizes are those of create_weights in vLLM 0.32.0
(model_executor/layers/quantization/, formats in multilora.models.formats).
After loading a kernel may change them a little: FP8's scales of merged
matrices become one, Marlin lengthens widths that are no multiple of its tile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from multilora.memory.sharding import Parallel, local, padded_expert
from multilora.models.formats import Format
from multilora.models.layers import Layers, Module
from multilora.models.quantisation import Quantization
from multilora.models.shapes import ModelShape

PARTS = ("linears", "tables", "scales", "other")
FLOAT32 = ("A_log",)  # whatever the model's type (qwen3_next.py)
NESTED = "nested_scale"
NESTED_GROUP = 256  # bitsandbytes' scales that share a second one


@dataclass(frozen=True)
class Tensor:
    """One tensor on one GPU: its name, one of PARTS, bytes, how often."""

    name: str
    part: str
    num_bytes: int
    count: int = 1


def tensors(
    shape: ModelShape,
    quantization: Quantization | None,
    parallel: Parallel,
    width: int = 2,
) -> Iterator[Tensor]:
    """Yield the tensors of a model, or of a stage of one, on one GPU.

    width is the bytes of an element that is not quantised.
    """
    for layers in shape.layers:
        for merged in _merged(layers):
            for form, count in _formats(layers, merged, quantization):
                for tensor in _of_merged(merged, form, parallel, width):
                    yield replace(tensor, count=count)


def _merged(layers: Layers) -> list[list[Module]]:
    """The modules of a layer, those together that vLLM merges into one."""
    found: dict[tuple[str, str, bool], list[Module]] = {}
    for module in layers.modules:
        if module.is_unused:
            continue
        into = module.into or module.name
        key = (_parent(module), into, module.kind == "w2")
        found.setdefault(key, []).append(module)
    return list(found.values())


def _parent(module):
    return module.path.rpartition(".")[0]


def _formats(layers, merged, quantization):
    """Each format that these modules have, and in how many layers."""
    if quantization is None:
        return [(None, len(layers.numbers))]
    counts: dict[Format | None, int] = {}
    for place in range(len(layers.numbers)):
        paths = _paths(layers, merged, place)
        form = quantization.format_of(paths, merged[0], layers.is_tower)
        counts[form] = counts.get(form, 0) + 1
    return list(counts.items())


def _paths(layers, merged, place):
    """The checkpoint's paths: the merged module's, then its parts'."""
    full = [layers.places(module)[place] for module in merged]
    parent = full[0].rpartition(".")[0]
    if merged[0].is_expert:
        parts = [path.rpartition(".")[2] for path in full]
        return [parent, *(f"{parent}.0.{part}" for part in parts)]
    into = merged[0].into or merged[0].name
    return [f"{parent}.{into}" if parent else into, *full]


def _of_merged(merged, form, parallel, width) -> Iterator[Tensor]:
    cuts = [local(module, parallel) for module in merged]
    first = cuts[0]
    width = first.element_bytes or width
    name = ".".join(filter(None, (_parent(first), first.into or first.name)))
    name = f"{name}.{'w2' if first.kind == 'w2' else 'weight'}"
    if not first.is_linear:
        part = "tables" if first.kind == "table" else "other"
        for cut in cuts:
            wide = 4 if cut.name in FLOAT32 else width
            yield Tensor(cut.path, part, cut.num_weights * wide)
        return
    rows = sum(cut.out_features for cut in cuts)
    count, columns = first.count, first.in_features
    biases = count * sum(cut.num_biases for cut in cuts)
    if form is None:
        part = "tables" if first.kind == "head" else "linears"
        yield Tensor(name, part, count * rows * columns * width)
    else:
        if first.is_expert:
            # As the kernels want them, slots of these experts too.
            longer = [padded_expert(cut, form.expert_padding) for cut in cuts]
            rows = sum(cut.out_features for cut in longer)
            columns = longer[0].in_features
            if form.has_expert_biases or form.expert_padding != (1, 1):
                needed = biases or form.has_expert_biases
                biases = count * rows if needed else 0
        yield Tensor(name, "linears", count * rows * columns * form.bits // 8)
        matrices = _matrices(cuts)
        for suffix, size in _beside(form, first, rows, columns, matrices):
            if size:
                yield Tensor(f"{name}_{suffix}", "scales", count * size)
    if biases:
        yield Tensor(f"{name}_bias", "other", biases * width)


def _matrices(cuts):
    """How many of the checkpoint's matrices one merged module holds."""
    if cuts[0].kind == "gate_up":
        return 2
    if cuts[0].kind == "qkv":
        return 3
    return sum(cut.num_slices for cut in cuts)


def _beside(form, first, rows, columns, matrices):
    """Yield (name, bytes) of what one matrix needs beside its weights."""
    num_scales = _num_scales(form, first, rows, columns, matrices)
    yield "scale", num_scales * form.scale_bytes
    if form.is_nested:
        yield NESTED, -(-num_scales // NESTED_GROUP) * 4
    if form.has_zeros:
        groups = num_scales // rows
        yield "zeros", groups * (rows * form.bits // 32) * 4
    if form.has_second_scale:
        yield "scale_2", 4 * matrices
    if first.is_expert:
        number = {"": 0, "expert": 1, "matrix": matrices}
        yield "input_scale", 4 * number[form.expert_input_scales]
        yield "constants", form.expert_fixed_bytes
    else:
        yield "input_scale", 4 * matrices * form.has_input_scale
        yield "constants", form.fixed_bytes
    if form.has_order:
        yield "order", 4 * columns


def _num_scales(form, first, rows, columns, matrices):
    if form.scaled == "tensor":
        return matrices
    if form.scaled == "channel":
        return rows
    if form.scaled == "block":
        high, wide = form.block
        # Experts round each matrix up, other layers the merged one.
        parts = matrices if first.is_expert else 1
        return parts * -(-(rows // parts) // high) * -(-columns // wide)
    if form.is_nested or form.scale_bytes == 4:  # bitsandbytes: whole matrix
        return -(-rows * columns // form.group)
    if columns % form.group:
        raise ValueError(
            f"group_size is {form.group}, but must divide the {columns} "
            f"inputs of {first.path} on one GPU"
        )
    return rows * (columns // form.group)
