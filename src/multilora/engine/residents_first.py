"""The end of the cascade: a sort around vLLM's own method.

LRUCacheWorkerLoRAManager._apply_adapters activates a step's adapters in the
order of a set. A newcomer met early evicts the least recently used adapter,
which may be one that the same step still needs; that one then evicts the
next. Residents first, every resident is touched before the first eviction.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from multilora.engine import quiet


@contextmanager
def residents_first() -> Iterator[None]:
    """Let vLLM's worker managers walk residents first inside the block.

    Slots before CPU copies before the disk's, so that neither tier evicts
    what the step still needs. Raises EngineUnavailableError without vLLM.
    """
    quiet.prepare()
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager

    as_shipped = LRUCacheWorkerLoRAManager._apply_adapters

    def _apply_adapters(self, lora_requests):
        slots = self._adapter_manager._active_adapters
        copies = self._adapter_manager._registered_adapters
        nearest_first = sorted(
            lora_requests,
            key=lambda request: (
                (request.lora_int_id not in slots)
                + (request.lora_int_id not in copies)
            ),
        )
        return as_shipped(self, nearest_first)

    LRUCacheWorkerLoRAManager._apply_adapters = _apply_adapters
    try:
        yield
    finally:
        LRUCacheWorkerLoRAManager._apply_adapters = as_shipped
