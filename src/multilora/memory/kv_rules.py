"""What each version of vLLM does with KV blocks, 0.7.0 to 0.33.0.

Read in vllm/v1/core/kv_cache_utils.py (0.33.0: kv_cache_planning.py beside
it), v1/kv_cache_interface.py, config/vllm.py and platforms/interface.py of
each release; a version between two entries is like the earlier of them.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Self

from multilora.arguments import shown
from multilora.models.version_rule import release_numbers


@dataclass(frozen=True)
class KvRule:
    """How one version shares KV memory among layers and counts tokens.

    has_groups: layers with a window form groups of their own, else they
    count as whole attention. has_chunks: the same for chunked attention.
    has_mixed_pages: layers alike in kind may differ in page size.
    can_scale: a smaller page takes more tokens, where that makes pages
    equal; can_pad: else it is filled up. even: groups are as long as the
    longest kind if that is less than `even` × the shortest. by_request:
    tokens are those of as many longest requests as fit, else blocks per
    group. num_batches: how many batches may be under way. state_blocks: a
    request's blocks for a state, 0 where this is not known here;
    has_checkpoints: one more for a state with checkpoints.
    """

    has_groups: bool = False
    has_chunks: bool = False
    has_mixed_pages: bool = False
    can_scale: bool = False
    can_pad: bool = False
    even: float = 1.0
    by_request: bool = False
    num_batches: int = 1
    state_blocks: int = 0
    has_checkpoints: bool = False

    def without_prefix_caching(self) -> Self:
        """Return the rule where no state is kept for later requests."""
        blocks = min(1, self.state_blocks)
        return replace(self, state_blocks=blocks, has_checkpoints=False)


# Each version with what it changed. 0.28.0 keeps states for the prefix cache
# by default, 0.26.0 schedules ahead of the batch that runs.
_CHANGES = (
    ("0.9.1", {"has_groups": True}),
    ("0.10.0", {"has_chunks": True}),
    ("0.10.1", {"has_chunks": False}),
    ("0.11.0", {"has_mixed_pages": True}),
    ("0.12.0", {"can_scale": True, "even": 1.25}),
    ("0.14.0", {"has_chunks": True}),
    ("0.18.0", {"even": 1.5}),
    ("0.20.1", {"by_request": True, "state_blocks": 1}),
    ("0.24.0", {"can_pad": True}),
    ("0.26.0", {"num_batches": 2}),
    ("0.28.0", {"state_blocks": 2}),
    ("0.32.0", {"has_checkpoints": True}),
    ("0.33.0", {"state_blocks": 0}),
)
FIRST, LAST = "0.7.0", "0.33.0"


def kv_rule(vllm_version: str) -> KvRule:
    """Return the rule of a version such as "0.22.1" or "0.8.5.post1".

    Raises ValueError for one before 0.7.0 or after 0.33.0.
    """
    wanted = release_numbers(vllm_version)
    if not release_numbers(FIRST) <= wanted <= release_numbers(LAST):
        raise ValueError(
            f"vllm_version is {shown(vllm_version)}, but must be a version "
            f"from {FIRST} to {LAST}"
        )
    return _rule(wanted)


@cache
def _rule(wanted):
    rule = KvRule()
    for since, changed in _CHANGES:
        if wanted >= release_numbers(since):
            rule = replace(rule, **changed)
    return rule
