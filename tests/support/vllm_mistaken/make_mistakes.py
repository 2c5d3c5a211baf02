"""A plugin of vLLM 0.32.0 that brings two known faults back.

$MULTILORA_MISTAKES names them. "blocks": a KV block's key holds no adapter,
as in LMCache's MP connector (vLLM #44250). "slots": what says whose slot a
row takes is not made anew when an adapter moves (vLLM #47724). This folder on
PYTHONPATH is enough: nothing is installed.
"""

import os


def register():
    """Make the mistakes that are asked for."""
    mistakes = os.environ.get("MULTILORA_MISTAKES", "").split()
    if "blocks" in mistakes:
        from vllm.v1.core import kv_cache_utils

        kv_cache_utils._gen_lora_extra_hash_keys = lambda request: []
    if "slots" in mistakes:
        from vllm.lora.model_manager import LoRAModelManager

        LoRAModelManager.set_adapter_mapping = _remembered


def _remembered(self, mapping):
    if self._last_mapping != mapping:
        self._set_adapter_mapping(mapping)
        self._last_mapping = mapping
