"""What KV vLLM keeps: bytes of a token, of a request, tokens in a pool.

The formulas are vLLM's: pages and groups in v1/core/kv_cache_utils.py and
v1/kv_cache_interface.py, 0.32.0; kv_rules.py says where versions differ.
"""

from dataclasses import dataclass

from multilora.arguments import choice, integer
from multilora.memory.groups import checked, groups_of
from multilora.memory.kv_rules import kv_rule
from multilora.memory.pages import token_bytes
from multilora.models.shapes import ModelShape
from multilora.models.versions import DEFAULT_VERSION

BLOCK_TOKENS = 16  # vLLM's default --block-size on CUDA
BATCHED_TOKENS = 8192  # --max-num-batched-tokens of `vllm serve` on an H100


@dataclass(frozen=True)
class KvPool:
    """The KV blocks of one GPU and what a longest request takes of them.

    num_blocks blocks of block_bytes; a request of max_model_len tokens has
    blocks_per_request of them, and padding_share of their bytes hold
    nothing. num_tokens is what vLLM logs as "GPU KV cache size".
    """

    num_blocks: int
    block_bytes: int
    num_groups: int
    block_size: int
    blocks_per_request: int
    max_model_len: int
    padding_share: float
    num_tokens: int

    @property
    def max_concurrency(self) -> float:
        """How many requests of max_model_len fit at once."""
        return self.num_blocks / self.blocks_per_request

    @property
    def can_serve_longest(self) -> bool:
        """True if one such request fits; else vLLM refuses to start.

        One block of the pool is never given to a request.
        """
        return self.blocks_per_request < self.num_blocks


def kv_bytes_per_token(
    shape: ModelShape,
    kv_cache_dtype: str = "auto",
    tensor_parallel_size: int = 1,
) -> int:
    """Return the bytes that one more token keeps on one GPU.

    The sum over layers of KV heads × (key + value width) × bytes of
    kv_cache_dtype; MLA keeps one vector instead. A layer with a window
    counts, which is right while the request is shorter than the window;
    states do not count, for they do not grow.
    Raises ValueError for an unknown kv_cache_dtype or a
    tensor_parallel_size that does not divide the model.
    """
    width, gpus = checked(shape, kv_cache_dtype, tensor_parallel_size)
    return sum(
        len(layers.numbers) * token_bytes(cache, width, gpus)
        for layers in shape.language_layers
        for cache in layers.caches
        if cache.kind != "state"
    )


def kv_bytes_per_request(
    shape: ModelShape,
    num_tokens: int,
    kv_cache_dtype: str = "auto",
    tensor_parallel_size: int = 1,
    block_size: int = BLOCK_TOKENS,
    max_num_batched_tokens: int = BATCHED_TOKENS,
    vllm_version: str = DEFAULT_VERSION,
) -> int:
    """Return the bytes that a request of num_tokens holds at most.

    Whole blocks of each group of layers: whole attention keeps every token,
    a layer with a window of w the last w - 1 and those under way, a state
    has a fixed number of blocks. Raises ValueError as kv_tokens does.
    """
    tokens = integer("num_tokens", num_tokens, minimum=1)
    rule = kv_rule(vllm_version)
    groups = groups_of(
        shape, kv_cache_dtype, tensor_parallel_size, block_size, rule
    )
    in_flight = _in_flight(max_num_batched_tokens, rule)
    blocks = sum(g.num_blocks(tokens, in_flight, rule) for g in groups)
    return blocks * _block_bytes(groups)


def kv_tokens(
    shape: ModelShape,
    kv_bytes: int,
    max_model_len: int | None = None,
    kv_cache_dtype: str = "auto",
    tensor_parallel_size: int = 1,
    block_size: int = BLOCK_TOKENS,
    max_num_batched_tokens: int = BATCHED_TOKENS,
    vllm_version: str = DEFAULT_VERSION,
    disable_hybrid_kv_cache_manager: bool = False,
    enable_prefix_caching: bool = True,
) -> int:
    """Return the tokens that vLLM logs for kv_bytes: "GPU KV cache size".

    int(blocks / blocks of a request of max_model_len × max_model_len); see
    kv_pool, which has the same arguments and returns all of it. Before
    0.20.1 blocks // groups × block_size.
    """
    return kv_pool(
        shape,
        kv_bytes,
        max_model_len,
        kv_cache_dtype,
        tensor_parallel_size,
        block_size,
        max_num_batched_tokens,
        vllm_version,
        disable_hybrid_kv_cache_manager,
        enable_prefix_caching,
    ).num_tokens


def kv_pool(
    shape: ModelShape,
    kv_bytes: int,
    max_model_len: int | None = None,
    kv_cache_dtype: str = "auto",
    tensor_parallel_size: int = 1,
    block_size: int = BLOCK_TOKENS,
    max_num_batched_tokens: int = BATCHED_TOKENS,
    vllm_version: str = DEFAULT_VERSION,
    disable_hybrid_kv_cache_manager: bool = False,
    enable_prefix_caching: bool = True,
) -> KvPool:
    """Return the KvPool that kv_bytes on each GPU make.

    max_model_len None is the model's max_position_embeddings. block_size is
    vLLM's, before it grows for a state. max_num_batched_tokens counts twice
    where a window ends: vLLM schedules the next batch while one runs.
    disable_hybrid_kv_cache_manager counts windows as whole attention, as
    vLLM does where something of the engine (a KV connector) needs it.
    enable_prefix_caching False leaves a request one block for a state.
    Raises ValueError for a negative kv_bytes, a block_size that is no
    multiple of 16, a version before 0.7.0 or after 0.33.0, and for layers
    that this version cannot keep in one pool.
    """
    available = integer("kv_bytes", kv_bytes, minimum=0)
    rule = kv_rule(vllm_version)
    if not choice(
        "enable_prefix_caching", enable_prefix_caching, (True, False)
    ):
        rule = rule.without_prefix_caching()
    choice(
        "disable_hybrid_kv_cache_manager",
        disable_hybrid_kv_cache_manager,
        (True, False),
    )
    groups = groups_of(
        shape,
        kv_cache_dtype,
        tensor_parallel_size,
        block_size,
        rule,
        disable_hybrid_kv_cache_manager,
    )
    longest = _longest(shape, max_model_len)
    in_flight = _in_flight(max_num_batched_tokens, rule)
    block_bytes = _block_bytes(groups)
    num_blocks = available // block_bytes
    counts = [g.num_blocks(longest, in_flight, rule) for g in groups]
    needed = sum(counts)
    used = sum(n * g.used_bytes for n, g in zip(counts, groups, strict=True))
    smallest = min(page.block_size for g in groups for page in g.pages)
    tokens = num_blocks // len(groups) * smallest
    if rule.by_request:
        tokens = int(num_blocks / needed * longest)
    return KvPool(
        num_blocks=num_blocks,
        block_bytes=block_bytes,
        num_groups=len(groups),
        block_size=smallest,
        blocks_per_request=needed,
        max_model_len=longest,
        padding_share=1 - used / (needed * block_bytes),
        num_tokens=tokens,
    )


def _block_bytes(groups):
    return max(group.block_bytes for group in groups)


def _in_flight(max_num_batched_tokens, rule):
    batched = integer(
        "max_num_batched_tokens", max_num_batched_tokens, minimum=1
    )
    return batched * rule.num_batches


def _longest(shape, max_model_len):
    if max_model_len is None and not shape.max_position_embeddings:
        raise ValueError(
            "max_model_len is None, but shape gives no "
            "max_position_embeddings; give max_model_len"
        )
    longest = max_model_len
    if longest is None:
        longest = shape.max_position_embeddings
    return integer("max_model_len", longest, minimum=1)
