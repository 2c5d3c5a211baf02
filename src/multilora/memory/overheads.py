"""What an engine takes besides weights, slots and KV: a range, not a sum.

vLLM profiles one step at start-up and gives the rest to the KV cache. The
peak of that step follows from the model; the context and the libraries do
not, so they are a low and a high value that public start-ups span.
"""

from dataclasses import dataclass

from multilora.arguments import choice, integer
from multilora.memory.sharding import ONE_GPU, Parallel
from multilora.models.shapes import ModelShape, check_shape
from multilora.published import shared
from multilora.units import GIB

# Of a logit at the profiled sampling, at least 16 bits and 32; and at most
# those and two 32-bit copies: 63 start-ups of vLLM 0.8.5 with max_num_seqs
# 2048 and two vocabularies (data/startups.json) differ by 14 bytes a
# sequence and token of the vocabulary.
LOGIT_BYTES = (6, 14)
_ACTIVATION_BYTES = 2
_MOST_TOKENS = 2**24


@dataclass(frozen=True)
class Overhead:
    """Bytes on one GPU besides weights, slots and KV: from low to high.

    They are the peak of the profiled step, the CUDA context with its
    libraries, and from 0.20.0 on the CUDA graphs.
    """

    low_bytes: int
    high_bytes: int


def peak_bytes(
    shape: ModelShape,
    max_num_batched_tokens: int,
    max_num_seqs: int,
    parallel: Parallel = ONE_GPU,
) -> tuple[int, int]:
    """Return the least and most that the step takes which vLLM profiles.

    Either of the widest layer at max_num_batched_tokens (its input, its
    output and what lies between, 16 bits), or of the sampling of
    max_num_seqs sequences, LOGIT_BYTES a token of the vocabulary, the
    larger of the two.
    Raises ValueError for a size below 1.
    """
    check_shape(shape)
    tokens = integer(
        "max_num_batched_tokens", max_num_batched_tokens, 1, _MOST_TOKENS
    )
    sequences = integer("max_num_seqs", max_num_seqs, 1, _MOST_TOKENS)
    widest = max(
        _between(layers.modules, shape, parallel)
        for layers in shape.language_layers
        if layers.is_repeated
    )
    forward = tokens * _ACTIVATION_BYTES * (2 * shape.hidden_size + widest)
    num_logits = min(tokens, sequences) * shape.vocab_size
    least, most = (max(forward, num_logits * size) for size in LOGIT_BYTES)
    return least, most


def _between(modules, shape, parallel):
    """Elements a token between a layer's input and its output.

    The MLP's columns and its activation; of a mixture those of the experts
    that a token is sent to, and their outputs.
    """
    size = parallel.tensor_parallel_size
    dense = expert = activated = 0
    for module in modules:
        if module.kind in ("w13", "gate_up", "w2"):
            is_down = module.kind == "w2"
            expert += module.in_features if is_down else module.out_features
        elif module.kind == "col":
            dense += module.out_features
        elif module.kind == "row":
            activated = max(activated, module.in_features)
    picked = shape.num_experts_per_token
    outputs = picked * shape.hidden_size if expert else 0
    return max((dense + activated) // size, picked * expert // size + outputs)


def overhead(
    shape: ModelShape,
    max_num_batched_tokens: int,
    max_num_seqs: int,
    parallel: Parallel = ONE_GPU,
    has_graphs: bool = True,
) -> Overhead:
    """Return the Overhead of one engine.

    has_graphs says whether the version takes CUDA graphs from the KV's
    share and the engine captures any. The range beyond the peak is what
    the public start-ups in data/overheads.json span.
    Raises ValueError as peak_bytes does.
    """
    choice("has_graphs", has_graphs, (True, False))
    peaks = peak_bytes(shape, max_num_batched_tokens, max_num_seqs, parallel)
    spans = shared("overheads")
    names = ["context"] + (["graphs"] if has_graphs else [])
    low, high = (
        peak + sum(round(spans[name][end] * GIB) for name in names)
        for peak, end in zip(peaks, ("low_gib", "high_gib"), strict=True)
    )
    return Overhead(low, high)
