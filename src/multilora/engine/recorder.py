"""Listen to a running engine: what it loads, and whom it schedules."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from multilora.engine.views import Load

if TYPE_CHECKING:
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager
    from vllm.v1.core.sched.scheduler import Scheduler


class Recorder:
    """Wraps four methods of vLLM's own objects and writes down what passes.

    names maps a lora_int_id to an adapter's name. scheduled holds the ids
    of the requests that ran in the last step. scheduler or lora_worker may
    be None, where there is none. Each Load goes to note, by default into
    loads.
    """

    def __init__(
        self,
        scheduler: "Scheduler | None",
        lora_worker: "LRUCacheWorkerLoRAManager | None",
        names: Callable[[int], str],
        note: Callable[[Load], None] | None = None,
    ) -> None:
        self.loads: list[Load] = []
        self._write = self.loads.append if note is None else note
        self.scheduled: tuple[str, ...] = ()
        self._names = names
        if scheduler is not None:
            self._listen_to_schedule(scheduler)
        if lora_worker is not None:
            self._listen_to_reads(lora_worker)
            self._listen_to_slots(lora_worker._adapter_manager)

    def _listen_to_schedule(self, scheduler):
        schedule = scheduler.schedule

        def recorded(*args, **kwargs):
            output = schedule(*args, **kwargs)
            self.scheduled = tuple(output.num_scheduled_tokens)
            return output

        scheduler.schedule = recorded

    def _listen_to_reads(self, worker):
        read = worker._load_adapter

        def timed(request):
            start = time.perf_counter()
            loaded = read(request)
            self._note("disk", request.lora_name, start)
            return loaded

        worker._load_adapter = timed

    def _listen_to_slots(self, manager):
        activate = manager.activate_adapter

        def timed(lora_id):
            was_active = lora_id in manager._active_adapters
            start = time.perf_counter()
            result = activate(lora_id)
            if not was_active:
                self._note("slot", self._names(lora_id), start)
            return result

        manager.activate_adapter = timed

    def _note(self, kind, name, start):
        self._write(Load(kind, name, time.perf_counter() - start))
