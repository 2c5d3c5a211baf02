"""Groups of layers that share KV blocks, as vLLM makes them.

A block is a number; each layer of a group has a page for it. vLLM gives a
request blocks of each group: as many as its tokens fill, or as a window and
the tokens under way fill, or a fixed number for a state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from multilora.arguments import integer
from multilora.memory.kv_rules import KvRule
from multilora.memory.pages import KERNEL_BLOCK, Page, pages_of
from multilora.memory.sharding import Parallel, check_parallel
from multilora.models.dtypes import kv_dtype_bytes
from multilora.models.shapes import ModelShape, check_shape


@dataclass(frozen=True)
class Group:
    """Layers that share a table of blocks, by their pages."""

    pages: tuple[Page, ...]

    @property
    def block_bytes(self) -> int:
        return sum(page.page_bytes for page in self.pages)

    @property
    def used_bytes(self) -> int:
        return sum(page.used_bytes for page in self.pages)

    def num_blocks(self, num_tokens: int, in_flight: int, rule: KvRule) -> int:
        """Return the blocks that a request of num_tokens has at most."""
        return max(
            page.num_blocks(num_tokens, in_flight, rule)
            for page in set(self.pages)
        )


def checked(
    shape: ModelShape, kv_cache_dtype: str, tensor_parallel_size: int
) -> tuple[int, int]:
    """Return bytes of a KV element and number of GPUs, or raise ValueError."""
    check_parallel(check_shape(shape), Parallel(tensor_parallel_size))
    for layers in shape.language_layers:
        for cache in layers.caches:
            if cache.kind not in ("state", "mla"):
                _check_heads(cache.heads, tensor_parallel_size)
    return kv_dtype_bytes(kv_cache_dtype), int(tensor_parallel_size)


def _check_heads(heads, size):
    fewer, more = sorted((heads, size))
    if more % fewer:
        raise ValueError(
            f"tensor_parallel_size is {size}, but must divide, or be a "
            f"multiple of, the {heads} KV heads"
        )


def groups_of(
    shape: ModelShape,
    kv_cache_dtype: str,
    tensor_parallel_size: int,
    block_size: int,
    rule: KvRule,
    has_no_groups: bool = False,
) -> list[Group]:
    """Return the groups of a model's layers on one GPU.

    has_no_groups counts windows and chunks as whole attention.
    Raises ValueError for a block_size that is no multiple of 16, and where
    this version cannot keep these layers in one pool.
    """
    width, gpus = checked(shape, kv_cache_dtype, tensor_parallel_size)
    tokens = integer("block_size", block_size, minimum=KERNEL_BLOCK)
    if tokens % KERNEL_BLOCK:
        raise ValueError(
            f"block_size is {tokens}, but must be a multiple of "
            f"{KERNEL_BLOCK}, which attention kernels read at once"
        )
    return shape.remember(
        ("KV groups", width, gpus, tokens, rule, has_no_groups),
        lambda: _groups(shape, width, gpus, tokens, rule, has_no_groups),
    )


def _groups(shape, width, gpus, tokens, rule, has_no_groups):
    pages = pages_of(shape, width, gpus, tokens)
    if not pages:
        raise ValueError("shape has no layer that keeps KV or a state")
    kinds = {page.kind for page in pages}
    if "state" in kinds and not rule.state_blocks:
        raise ValueError(
            "shape has layers with a state, and this vllm_version's rule for "
            "them is not known here; it is from 0.20.1 to 0.32.0"
        )
    is_whole = has_no_groups or not rule.has_groups
    is_whole |= "chunked" in kinds and not rule.has_chunks
    fits = not has_no_groups or _have_one_window(pages)
    if is_whole and "full" in kinds:
        pages = as_full(pages)
    if is_whole and not (fits and _is_one_kind(pages, rule)):
        raise ValueError(
            "shape has layers that cannot share one table of blocks: give "
            "disable_hybrid_kv_cache_manager=False and a newer vllm_version"
        )
    return grouped(pages, rule)


def _have_one_window(pages):
    """True if windows are equal, and chunks: a table notes one of each."""
    windows = {(page.kind, page.window) for page in pages if page.window}
    return len(windows) == len({kind for kind, _ in windows})


def grouped(pages: Sequence[Page], rule: KvRule) -> list[Group]:
    """Return the groups of layers that vLLM makes (get_kv_cache_groups).

    Layers of one kind form one group. Of several kinds each is split into
    groups of as many layers as the rarest kind has; the last may be short.
    Raises ValueError where this version cannot make pages equal.
    """
    if not pages:
        return []
    if _is_one_kind(pages, rule):
        return [Group(tuple(pages))]
    pages = _equal_pages(pages, rule)
    kinds: dict[Page, list[Page]] = {}
    for page in pages:
        kinds.setdefault(page, []).append(page)
    sizes = [len(same) for same in kinds.values()]
    length = min(sizes)
    if max(sizes) < length * rule.even:
        length = max(sizes)
    return [
        Group(tuple(same[first::num_groups]))
        for same in kinds.values()
        for num_groups in [-(-len(same) // length)]
        for first in range(num_groups)
    ]


def _is_one_kind(pages, rule):
    first = pages[0]
    is_same = all(
        (page.kind, page.window, page.block_size, page.checkpoints)
        == (first.kind, first.window, first.block_size, first.checkpoints)
        for page in pages
    )
    sizes = {page.page_bytes for page in pages}
    may_differ = rule.has_mixed_pages and first.kind != "state"
    return is_same and (may_differ or len(sizes) == 1)


def _equal_pages(pages, rule):
    largest = max(page.page_bytes for page in pages)
    return [_enlarged(page, largest, rule) for page in pages]


def _enlarged(page, largest, rule):
    size = page.page_bytes
    if size == largest:
        return page
    is_attention = page.kind != "state"
    if is_attention and largest % size == 0 and rule.can_scale:
        ratio = largest // size
        return replace(
            page,
            block_size=page.block_size * ratio,
            used_bytes=page.used_bytes * ratio,
            page_bytes=largest,
        )
    if rule.can_pad and page.alike[:1] != ("mla",):
        return replace(page, page_bytes=largest)
    raise ValueError(
        f"shape has pages of {size} and {largest} bytes, which this "
        "vllm_version cannot make equal"
    )


def as_full(pages: Iterable[Page]) -> list[Page]:
    """Return pages of layers with a window or chunks as of whole attention."""
    return [
        replace(page, kind="full", window=0, alike=("full", *page.alike[1:]))
        if page.kind in ("sliding", "chunked")
        else page
        for page in pages
    ]
