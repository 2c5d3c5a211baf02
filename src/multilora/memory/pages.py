"""Pages of KV blocks: what one layer keeps of a block, on one GPU."""

from dataclasses import dataclass, replace

from multilora.memory.kv_rules import KvRule
from multilora.models.layers import Cache
from multilora.models.shapes import ModelShape

KERNEL_BLOCK = 16  # tokens that attention kernels read at once, at least
MLA_BLOCK = 128  # the same beside a state, for MLA
FLASH_MLA_BLOCK = 64  # the same for MLA in 8 bits, which FlashMLA reads


@dataclass(frozen=True)
class Page:
    """One layer's page: page_bytes, of which used_bytes are written.

    kind is full, sliding, chunked or state. alike tells apart pages of one
    kind and size that hold different heads. checkpoints are the blocks that
    a state has more than another one.
    """

    kind: str
    block_size: int
    used_bytes: int
    page_bytes: int
    window: int = 0
    alike: tuple[int | str, ...] = ()
    checkpoints: int = 0

    def num_blocks(self, num_tokens: int, in_flight: int, rule: KvRule) -> int:
        """Return the blocks that a request of num_tokens has at most."""
        if self.kind == "state":
            return rule.state_blocks + self.checkpoints * rule.has_checkpoints
        if self.kind == "full":
            return -(-num_tokens // self.block_size)
        past = self.window - (self.kind == "sliding")
        kept = min(past + in_flight, num_tokens)
        # A window may begin within a block, a chunk does not.
        return -(-kept // self.block_size) + (self.kind == "sliding")


def token_bytes(cache: Cache, element_bytes: int, num_gpus: int) -> int:
    """Return the bytes of one token in one layer, on one of num_gpus.

    KV heads are spread, and repeated where there are fewer than GPUs. MLA
    keeps one vector that each GPU needs whole.
    """
    width = cache.element_bytes or element_bytes
    if cache.kind == "mla":
        return cache.num_elements * width
    kept = max(1, cache.heads // num_gpus)
    return cache.num_elements // cache.heads * kept * width


def state_bytes(cache: Cache, num_gpus: int) -> int:
    """Return the bytes of one request's state in one layer, on one GPU.

    Of a state in groups each GPU has whole groups, one at least, as
    extra_groups_for_head_shards in mamba_utils.py has it.
    """
    parts = max(1, cache.heads)
    elements = parts * cache.width
    if cache.heads:
        kept = parts // num_gpus if parts % num_gpus == 0 else 1
        elements = cache.width * kept
    elif elements % num_gpus:
        raise ValueError(
            f"tensor_parallel_size is {num_gpus}, but must divide the "
            f"{elements} elements of a state"
        )
    else:
        elements //= num_gpus
    return elements * (cache.element_bytes or 2)


def pages_of(
    shape: ModelShape,
    element_bytes: int,
    num_gpus: int,
    block_size: int,
) -> list[Page]:
    """Return a page for each layer that keeps something, in layer order.

    Beside a state the block grows until an attention page is no smaller
    than the state, and the state is filled up to it: _align_hybrid_block_size
    in platforms/interface.py.
    """
    found: list[tuple[int, Page | Cache]] = []
    for layers in shape.language_layers:
        states = [c for c in layers.caches if c.kind == "state"]
        others = [c for c in layers.caches if c.kind != "state"]
        for number in layers.numbers:
            found += [(number, cache) for cache in others]
            if states:
                found.append((number, _state(states, num_gpus)))
    found.sort(key=lambda item: item[0])
    items = [item for _, item in found]
    caches = [item for item in items if isinstance(item, Cache)]
    if element_bytes == 1 and any(cache.kind == "mla" for cache in caches):
        block_size = max(block_size, FLASH_MLA_BLOCK)
    state = max(
        (p.page_bytes for p in items if isinstance(p, Page)), default=0
    )
    if state and caches:
        block_size = _block_size(
            state, caches, element_bytes, num_gpus, block_size
        )
        state = block_size * token_bytes(caches[0], element_bytes, num_gpus)
    return [
        replace(
            item,
            block_size=block_size,
            page_bytes=max(state, item.page_bytes),
        )
        if isinstance(item, Page)
        else _page(item, element_bytes, num_gpus, block_size)
        for item in items
    ]


def _state(states, num_gpus):
    used = sum(state_bytes(cache, num_gpus) for cache in states)
    alike = tuple(n for c in states for n in (c.width, c.element_bytes))
    checkpoints = max(cache.checkpoints for cache in states)
    return Page("state", 0, used, used, 0, alike, checkpoints)


def _block_size(state, caches, element_bytes, num_gpus, block_size):
    per_token = token_bytes(caches[0], element_bytes, num_gpus)
    is_mla = any(cache.kind == "mla" for cache in caches)
    step = max(block_size, MLA_BLOCK if is_mla else KERNEL_BLOCK)
    return max(block_size, step * -(-state // (step * per_token)))


def _page(cache, element_bytes, num_gpus, block_size):
    per_token = token_bytes(cache, element_bytes, num_gpus)
    kind = "full" if cache.kind == "mla" else cache.kind
    alike = (cache.kind, cache.heads, cache.width, cache.value_width)
    used = per_token * block_size
    window = 0 if kind == "full" else cache.window
    return Page(kind, block_size, used, used, window, alike)
