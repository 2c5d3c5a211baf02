"""What vLLM reserves for adapter slots at start-up, version by version.

Every module that the version wraps gets max_loras slots of max_lora_rank,
whether or not an adapter ever fills them. What a version wraps is data, read
in vLLM's own classes (versions.py); a version that was not read has the rule
of the nearest.
"""

from dataclasses import replace

from multilora.arguments import choice, integer, names
from multilora.memory.sharding import (
    Parallel,
    check_parallel,
    slot_elements,
    stage,
)
from multilora.memory.wrapped import reserved_modules, wrapped_modules
from multilora.models.classes import architecture_of
from multilora.models.dtypes import lora_dtype_bytes
from multilora.models.quantisation import expert_padding
from multilora.models.shapes import (
    ModelShape,
    TargetModules,
    check_shape,
)
from multilora.models.version_rule import VersionRule
from multilora.models.versions import (
    DEFAULT_VERSION,
    has_feature,
    nearest_rule,
)

__all__ = ["reserved_modules", "slot_reservation_bytes"]


def slot_reservation_bytes(
    shape: ModelShape,
    max_loras: int,
    max_lora_rank: int,
    lora_dtype: str = "auto",
    target_modules: TargetModules | None = None,
    vllm_version: str = DEFAULT_VERSION,
    tensor_parallel_size: int = 1,
    fully_sharded_loras: bool = False,
    enable_expert_parallel: bool = False,
    pipeline_parallel_size: int = 1,
) -> int:
    """Return the bytes that vLLM sets aside for all slots on one GPU.

    max_loras × max_lora_rank × the summed (in + out) of every module that
    this version wraps, × the bytes of lora_dtype; the embedding and lm_head
    count where the version wraps them for this model. Where they do, 0.8.5
    adds three tables of 256 × hidden_size a slot, whatever the rank.
    A version that was not checked has the rule of the nearest (see
    versions.nearest_rule). target_modules is the engine's
    --lora-target-modules (since 0.19.0): naming one of q, k, v (or of gate,
    up) reserves the whole packed group, because vLLM fuses it. Of a mixture
    every expert gets slots, and so does the router; its filter names
    attention modules, the router and "experts". With several GPUs it is what
    each holds, under pipeline parallelism the GPU that holds most.
    Raises ValueError for a rank vLLM does not accept, an unknown version,
    module or architecture, and for sizes that do not divide the model.
    """
    rule = nearest_rule(vllm_version)
    architecture_of(check_shape(shape), vllm_version)
    parallel = Parallel(
        tensor_parallel_size,
        pipeline_parallel_size,
        enable_expert_parallel,
        fully_sharded_loras,
    )
    slots = integer("max_loras", max_loras, minimum=1)
    rank = integer("max_lora_rank", max_lora_rank)
    choice(f"max_lora_rank in vLLM {rule.used}", rank, rule.ranks)
    _check_rank_cut(rank, parallel)
    width = lora_dtype_bytes(lora_dtype)
    check_parallel(shape, parallel)
    targets = _as_key(target_modules)
    most = shape.remember(
        ("slot", rank, rule.vllm_version, parallel, targets),
        lambda: max(
            _slot_elements(
                stage(shape, parallel, number), rule, rank, target_modules,
                parallel,
            )
            for number in range(pipeline_parallel_size)
        ),
    )  # fmt: skip
    return slots * width * most


def _as_key(target_modules):
    """A filter as something that can be looked up."""
    if target_modules is None or isinstance(target_modules, str):
        return target_modules
    return frozenset(names("target_modules", target_modules))


def _check_rank_cut(rank, parallel):
    size = parallel.tensor_parallel_size
    if parallel.fully_sharded_loras and rank % size:
        raise ValueError(
            f"max_lora_rank is {rank}, but tensor_parallel_size = {size} "
            "must divide it where fully_sharded_loras cut it"
        )


def _slot_elements(shape, rule: VersionRule, rank, target_modules, parallel):
    """Elements of one slot on one GPU that holds these layers."""
    total = num_tables = 0
    found = wrapped_modules(shape, target_modules, rule.vllm_version)
    padding = expert_padding(shape.config)
    for times, module in found:
        if module.is_table:
            num_tables += 1
            module = _lengthened(module, rule)
        total += times * slot_elements(module, rank, parallel, padding)
    if num_tables and rule.extra_vocab:
        # The base's own embedding grows with them where the class says so.
        name = architecture_of(shape, rule.vllm_version)
        num_tables += has_feature(name, rule.vllm_version, "lengthened")
    return total + num_tables * rule.extra_vocab * shape.hidden_size


def _lengthened(module, rule):
    """A table with room for added tokens, lm_head padded and limited."""
    rows = module.out_features + rule.extra_vocab
    if module.kind == "head":
        if rows > rule.max_vocab_size:
            raise ValueError(
                f"shape has a vocabulary of {rows:,}, but vLLM {rule.used} "
                f"gives lm_head slots up to {rule.max_vocab_size:,}"
            )
        rows = -(-rows // rule.vocab_padding) * rule.vocab_padding
    return replace(module, out_features=rows, num_biases=0)
