"""What a model's weights take on one GPU, before slots and KV cache."""

from dataclasses import dataclass

from multilora.memory.buffers import rope_bytes
from multilora.memory.rounding import rounding_bytes
from multilora.memory.sharding import Parallel, check_parallel, stage
from multilora.memory.tensors import NESTED, NESTED_GROUP, tensors
from multilora.models.dtypes import weight_dtype_bytes
from multilora.models.quantisation import quantization_of
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.version_rule import release_numbers
from multilora.models.versions import DEFAULT_VERSION

_UNPACKS = (0, 9, 2)  # dequantize_dq of bitsandbytes_loader.py


@dataclass(frozen=True)
class WeightBytes:
    """The bytes of a model's weights on one GPU, by what they are.

    linears are the matrices of linear layers and experts, tables the
    embedding and an lm_head of 16 bits, scales all that quantised matrices
    need beside them (zeros and shapes with them), other norms and biases.
    buffers are tables that no checkpoint holds: RoPE's cosines. rounding is
    what torch's allocator adds to tensors of 10 MiB and more. unpacked is
    what bitsandbytes' double-quantised scales take beyond their own bytes
    where vLLM keeps them as float32: since 0.9.2 (its pull request 19742).
    """

    linears: int
    tables: int
    scales: int
    other: int
    buffers: int
    rounding: int
    unpacked: int = 0

    @property
    def weights(self) -> int:
        """The bytes of all parameters."""
        return self.linears + self.tables + self.scales + self.other

    def loaded(self, vllm_version: str = DEFAULT_VERSION) -> int:
        """Return what vLLM's "Model loading took" says, slots apart.

        Raises ValueError for a version that is not like "0.8.5".
        """
        is_unpacked = release_numbers(vllm_version) >= _UNPACKS
        extra = self.unpacked if is_unpacked else 0
        return self.weights + self.buffers + self.rounding + extra


def weight_bytes(
    shape: ModelShape,
    quantization: str | None = None,
    tensor_parallel_size: int = 1,
    pipeline_parallel_size: int = 1,
    enable_expert_parallel: bool = False,
    dtype: str = "auto",
) -> int:
    """Return the bytes of a model's parameters on the GPU that holds most.

    They are the ones that vLLM 0.32.0 allocates (create_weights of each
    quantisation method): matrices, scales, zeros, tables padded to 64 rows.
    quantization None is what the config says; "none" forces 16 bits; other
    names are those of vLLM's --quantization. dtype is vLLM's too, for what
    is not quantised. Scales of attention that vLLM drops after loading, a
    few bytes a layer, are left out.
    Raises ValueError for an unknown quantization, for sizes that do not
    divide the model, and where quantised parts of a merged layer differ.
    """
    return weight_breakdown(
        shape,
        quantization,
        tensor_parallel_size,
        pipeline_parallel_size,
        enable_expert_parallel,
        dtype,
    ).weights


def weight_breakdown(
    shape: ModelShape,
    quantization: str | None = None,
    tensor_parallel_size: int = 1,
    pipeline_parallel_size: int = 1,
    enable_expert_parallel: bool = False,
    dtype: str = "auto",
) -> WeightBytes:
    """Return the WeightBytes of the GPU that holds most; see weight_bytes."""
    check_shape(shape)
    width = weight_dtype_bytes(dtype)
    own = quantization_of(shape.config, quantization)
    parallel = Parallel(
        tensor_parallel_size, pipeline_parallel_size, enable_expert_parallel
    )
    check_parallel(shape, parallel)
    found = [
        _of_stage(stage(shape, parallel, number), own, parallel, width)
        for number in range(pipeline_parallel_size)
    ]
    return max(found, key=lambda item: item.loaded())


def _of_stage(shape, quantization, parallel, width):
    parts = {"linears": 0, "tables": 0, "scales": 0, "other": 0}
    rounding = 0
    found = list(tensors(shape, quantization, parallel, width))
    for tensor in found:
        parts[tensor.part] += tensor.count * tensor.num_bytes
        rounding += tensor.count * rounding_bytes(tensor.num_bytes)
    return WeightBytes(
        **parts,
        buffers=rope_bytes(shape, width),
        rounding=rounding,
        unpacked=_unpacked(found),
    )


def _unpacked(found):
    """Bytes that one-byte scales take more once they are float32."""
    nested = sum(
        tensor.count * tensor.num_bytes
        for tensor in found
        if tensor.name.endswith(NESTED)
    )
    return (NESTED_GROUP * (4 - 1) // 4 - 1) * nested
