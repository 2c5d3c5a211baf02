"""A plugin of vLLM: what Server changes and counts in its processes.

vLLM calls register() in each process of a server, by the entry point in the
folder plugin/, which Server puts on PYTHONPATH; nothing is installed. The
settings come in the environment. Without them register() does nothing.
"""

import functools
import os
import time
from pathlib import Path
from typing import Any

from multilora.engine.guard import without_last_slot
from multilora.engine.journal import ARRIVAL, BEGUN, LOAD, PATH, STEP, Pen
from multilora.engine.recorder import Recorder

FOLDER = Path(__file__).parent / "plugin"
NAME = "multilora_inside"
SPARE_SLOT = "MULTILORA_SPARE_SLOT"
DISK_MS = "MULTILORA_DISK_MS"


def settings(
    journal_path: str, has_spare_slot: bool, disk_ms: float
) -> dict[str, str]:
    """Return what a server's environment needs, beside our own.

    has_spare_slot says that the engine gets one slot too many, which stays
    empty; each read of an adapter's files takes disk_ms milliseconds more.
    """
    path = [str(FOLDER), os.environ.get("PYTHONPATH", "")]
    chosen = os.environ.get("VLLM_PLUGINS")
    plugins = {} if chosen is None else {"VLLM_PLUGINS": f"{chosen},{NAME}"}
    return plugins | {
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        PATH: journal_path,
        SPARE_SLOT: str(int(has_spare_slot)),
        DISK_MS: str(disk_ms),
    }


def register() -> None:
    """Wrap vLLM's scheduler, its metrics and its worker's manager."""
    path = os.environ.get(PATH)
    if not path:
        return
    pen = Pen(path)
    has_spare_slot = os.environ[SPARE_SLOT] == "1"
    _listen_to_scheduler(pen, has_spare_slot)
    _time_steps(pen)
    if has_spare_slot:
        _publish_one_slot_fewer()
    _listen_to_worker(pen, has_spare_slot, float(os.environ[DISK_MS]) / 1000)


def _listen_to_scheduler(pen, has_spare_slot):
    from vllm.v1.core.sched.scheduler import Scheduler

    begin, add = Scheduler.__init__, Scheduler.add_request

    @functools.wraps(begin)
    def begun(self, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        if has_spare_slot:
            self.lora_config = without_last_slot(self.lora_config)
        pen.write(BEGUN)

    @functools.wraps(add)
    def noted(self, request):
        pen.write(ARRIVAL, *_arrival(request))
        return add(self, request)

    Scheduler.__init__, Scheduler.add_request = begun, noted


def _publish_one_slot_fewer():
    """Let /metrics name the slots that adapters can enter."""
    from vllm.v1.metrics.loggers import PrometheusStatLogger

    begin = PrometheusStatLogger.__init__

    @functools.wraps(begin)
    def begun(self, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self.max_lora -= 1

    PrometheusStatLogger.__init__ = begun


def _time_steps(pen):
    from vllm.v1.core.sched.scheduler import Scheduler

    schedule, update = Scheduler.schedule, Scheduler.update_from_output

    @functools.wraps(schedule)
    def timed(self, *args, **kwargs):
        self._begun_ns = time.monotonic_ns()
        return schedule(self, *args, **kwargs)

    @functools.wraps(update)
    def ended(self, scheduled, *args, **kwargs):
        tokens = scheduled.num_scheduled_tokens.values()
        if tokens:
            begun = self._begun_ns
            seconds = (time.monotonic_ns() - begun) / 1e9
            # A request that decodes has one token.
            prompt = sum(num for num in tokens if num > 1)
            pen.write(STEP, begun, seconds, len(tokens), prompt)
        return update(self, scheduled, *args, **kwargs)

    Scheduler.schedule, Scheduler.update_from_output = timed, ended


def _arrival(request):
    adapter = request.lora_request
    name = None if adapter is None else adapter.lora_name
    return (
        time.monotonic_ns(),
        request.request_id,
        name,
        request.num_prompt_tokens,
        request.max_tokens,
    )


def _listen_to_worker(pen, has_spare_slot, disk_s):
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager

    def first_read(self, request):
        """Come in between, as soon as the warm-up's dummies are gone."""
        names: dict[int, str] = {}
        manager = self._adapter_manager
        if has_spare_slot:
            manager.lora_config = without_last_slot(manager.lora_config)
        self._load_adapter = _slowed(read.__get__(self), names, disk_s)
        Recorder(None, self, names.__getitem__, _writer(pen))
        return self._load_adapter(request)

    read = LRUCacheWorkerLoRAManager._load_adapter
    LRUCacheWorkerLoRAManager._load_adapter = first_read


def _slowed(read, names, disk_s):
    def slow(request):
        names[request.lora_int_id] = request.lora_name
        time.sleep(disk_s)
        return read(request)

    return slow


def _writer(pen):
    return lambda load: pen.write(LOAD, *load)
