"""A plugin of vLLM that writes a line for each load of an adapter.

vLLM has no such counter. The file is $MULTILORA_LOADS_LOG; each line is
"disk" or "slot". A read takes $MULTILORA_DISK_MS more, as slow storage would.
This folder on PYTHONPATH is enough: nothing is installed.
"""

import os
import time


def register():
    """Wrap what reads an adapter's files, and what fills a slot."""
    from vllm.lora.model_manager import LRUCacheLoRAModelManager
    from vllm.lora.worker_manager import WorkerLoRAManager

    path = os.environ.get("MULTILORA_LOADS_LOG")
    if not path or hasattr(WorkerLoRAManager, "counts_loads"):
        return
    WorkerLoRAManager.counts_loads = True
    disk_s = float(os.environ.get("MULTILORA_DISK_MS", "0")) / 1000
    read = WorkerLoRAManager._load_adapter
    activate = LRUCacheLoRAModelManager.activate_adapter

    def counted_read(self, request):
        _note(path, "disk")
        time.sleep(disk_s)
        return read(self, request)

    def counted_activate(self, lora_id):
        if lora_id not in self._active_adapters:
            _note(path, "slot")
        return activate(self, lora_id)

    WorkerLoRAManager._load_adapter = counted_read
    LRUCacheLoRAModelManager.activate_adapter = counted_activate


def _note(path, kind):
    with open(path, "a", encoding="utf-8") as log:
        log.write(f"{kind}\n")
