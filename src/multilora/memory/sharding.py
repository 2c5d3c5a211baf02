"""What one of several GPUs holds: tensor, pipeline and expert parallel.

The rules are vLLM's (lora/layers and model_executor/layers/linear.py,
0.32.0): a column-parallel layer cuts its outputs, a row-parallel one its
inputs; the A of a column-parallel and the B of a row-parallel layer remain
whole on each GPU, unless fully_sharded_loras cuts them by rank and output.
"""

from dataclasses import dataclass, replace

from multilora.arguments import choice, integer
from multilora.models.layers import Layers, Module
from multilora.models.shapes import ModelShape

VOCAB_PADDING = 64  # vLLM lengthens tables to a multiple of it
_COLUMN = ("q", "kv", "qkv", "col", "w13", "gate_up", "conv")
_ROW = ("row", "w2")


@dataclass(frozen=True)
class Parallel:
    """How one engine is spread over GPUs, in vLLM's names."""

    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    enable_expert_parallel: bool = False
    fully_sharded_loras: bool = False

    def __post_init__(self) -> None:
        for name in ("tensor_parallel_size", "pipeline_parallel_size"):
            integer(name, getattr(self, name), 1, 1024)
        for name in ("enable_expert_parallel", "fully_sharded_loras"):
            choice(name, getattr(self, name), (True, False))
        if self.enable_expert_parallel and self.fully_sharded_loras:
            raise ValueError(
                "enable_expert_parallel and fully_sharded_loras are both "
                "True, but vLLM's fused experts take one of the two"
            )

    @property
    def num_gpus(self) -> int:
        return self.tensor_parallel_size * self.pipeline_parallel_size


ONE_GPU = Parallel()


def check_parallel(shape: ModelShape, parallel: Parallel) -> None:
    """Raise ValueError where vLLM could not spread this model so."""
    size = parallel.tensor_parallel_size
    for layers in shape.layers:
        for module in layers.modules:
            _check_cut(module, parallel, size)
    if parallel.pipeline_parallel_size > shape.num_layers:
        raise ValueError(
            f"pipeline_parallel_size is {parallel.pipeline_parallel_size}, "
            f"but must be at most num_hidden_layers = {shape.num_layers}"
        )


def _check_cut(module, parallel, size):
    if module.heads and module.heads % size:
        raise ValueError(
            f"tensor_parallel_size is {size}, but must divide "
            f"num_attention_heads = {module.heads}: vLLM refuses it"
        )
    if module.num_groups > 1 and module.num_groups % size:
        raise ValueError(
            f"tensor_parallel_size is {size}, but must divide the "
            f"{module.num_groups} groups of {module.path}: vLLM refuses it"
        )
    fewer, more = sorted((module.kv_heads or size, size))
    if more % fewer:
        raise ValueError(
            f"tensor_parallel_size is {size}, but must divide, or be a "
            f"multiple of, num_key_value_heads = {module.kv_heads}"
        )
    if module.is_expert and parallel.enable_expert_parallel:
        return
    cut = {"col": module.out_features, "w13": module.out_features,
           "row": module.in_features, "w2": module.in_features,
           "gate_up": module.out_features // 2,
           "conv": module.out_features}  # fmt: skip
    width = cut.get(module.kind, size)
    if width % size and not module.num_groups:
        raise ValueError(
            f"tensor_parallel_size is {size}, but must divide the "
            f"{width} features of {module.path}: vLLM refuses it"
        )


def local(module: Module, parallel: Parallel) -> Module:
    """Return the part of a module that the first GPU holds."""
    size = parallel.tensor_parallel_size
    rows, columns = module.in_features, module.out_features
    count, biases = module.count, module.num_biases
    if module.is_table:
        has_bias = module.num_biases > 0
        rows = -(-_up(columns, VOCAB_PADDING) // size)
        return replace(module, out_features=rows, num_biases=rows * has_bias)
    if module.num_groups % size:
        module = _with_repeated_groups(module, size)
        return local(module, parallel)
    if size == 1 or module.kind in ("rep", "gate", "plain", "norm"):
        return module
    if module.is_expert and parallel.enable_expert_parallel:
        return replace(module, count=-(-count // size))
    if module.kind in _ROW:
        return replace(module, in_features=rows // size)
    if module.kind in ("kv", "qkv"):
        local_columns = _head_columns(module, size)
    else:
        local_columns = columns // size
    biases = biases * local_columns // columns
    return replace(module, out_features=local_columns, num_biases=biases)


def _with_repeated_groups(module, size):
    """Mamba's one group, once for each GPU; vLLM then has one matrix of it.

    The rule is that of MambaMixer2 in vLLM 0.32.0.
    """
    more = (size - module.num_groups) * module.group_width
    biases = module.num_biases and module.out_features + more
    return replace(
        module,
        out_features=module.out_features + more,
        num_biases=biases,
        num_slices=1,
        num_groups=0,
    )


def _head_columns(module, size):
    """Columns of a cut by heads; a KV head on more GPUs is repeated."""
    kept = max(1, module.kv_heads // size)
    if module.kind == "kv":
        return module.out_features // module.kv_heads * kept
    width = module.out_features // (module.heads + 2 * module.kv_heads)
    return width * (module.heads // size + 2 * kept)


def slot_elements(
    module: Module,
    rank: int,
    parallel: Parallel,
    padding: tuple[int, int] = (1, 1),
) -> int:
    """Return the elements of A and B that one slot holds on one GPU.

    padding is what experts' hidden and inner widths are rounded up to.
    """
    size = parallel.tensor_parallel_size
    if module.is_table:
        return rank * (module.in_features + module.out_features)
    cut = local(module, parallel)
    if module.is_expert:
        cut = padded_expert(cut, padding)
    if parallel.fully_sharded_loras and _has_no_sharded_class(cut):
        return 0
    is_moved = module.is_expert and parallel.enable_expert_parallel
    a_rank, b_rows = rank, cut.out_features
    if parallel.fully_sharded_loras and size > 1 and not is_moved:
        if module.kind in _COLUMN:
            a_rank = rank // size
        elif module.kind in _ROW:
            b_rows //= size
    a = cut.num_slices * a_rank * cut.in_features
    return cut.count * (a + b_rows * rank)


def padded_expert(cut: Module, padding: tuple[int, int]) -> Module:
    """Return one GPU's part of experts, lengthened as their kernel needs.

    padding is what the hidden and the inner width become multiples of.
    """
    hidden, inner = padding
    rows, columns = cut.out_features, cut.in_features
    if cut.kind == "w2":
        rows, columns = _up(rows, hidden), _up(columns, inner)
    elif cut.kind == "gate_up":
        rows, columns = 2 * _up(rows // 2, inner), _up(columns, hidden)
    else:
        rows, columns = _up(rows, inner), _up(columns, hidden)
    return replace(cut, out_features=rows, in_features=columns)


def _up(value, step):
    return -(-value // step) * step


def _has_no_sharded_class(module):
    """One matrix of the checkpoint that is three and more outputs of vLLM's.

    MergedColumnParallelLinearVariableSliceWithLoRA serves it, and vLLM
    0.32.0 has no fully sharded class beside that.
    """
    return module.num_slices > 2 and module.into == module.name


def stage(shape: ModelShape, parallel: Parallel, number: int) -> ModelShape:
    """Return what pipeline stage `number`, from 0, holds of a model.

    vLLM gives each stage num_layers // stages layers, and one more to the
    stages before the last (get_pp_indices in distributed/utils.py).
    """
    stages = parallel.pipeline_parallel_size
    if stages == 1:
        return shape
    first, last = _range(shape.num_layers, stages, number)
    kept: list[Layers] = []
    for layers in shape.layers:
        if layers.is_repeated and not layers.is_tower:
            numbers = tuple(n for n in layers.numbers if first <= n < last)
            kept += [replace(layers, numbers=numbers)] if numbers else []
        elif layers.is_tower:
            kept += [layers] if number == 0 else []
        else:
            kept.append(_once(layers, number, stages, shape.tied))
    return replace(shape, layers=tuple(kept))


def _once(layers, number, stages, tied):
    """The embedding is on the first stage, norm and lm_head on the last."""

    def is_here(module):
        if module.kind == "table":
            return number == 0 or (tied and number == stages - 1)
        return number == stages - 1

    modules = tuple(m for m in layers.modules if is_here(m))
    return replace(layers, modules=modules)


def _range(num_layers, stages, number):
    sizes = [num_layers // stages] * stages
    remaining = num_layers % stages
    for at in range(2, remaining + 2):
        sizes[-at] += 1
    start = sum(sizes[:number])
    return start, start + sizes[number]
