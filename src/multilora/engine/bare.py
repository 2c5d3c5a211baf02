"""vLLM's own LoRA classes without an engine around them.

A model with its slots starts in a second, so claims about slots, eviction
and loads are checked on vLLM's classes by the hundred.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from multilora.adapters import checkpoints
from multilora.arguments import integer, items, shown
from multilora.engine import quiet
from multilora.engine.recorder import Recorder
from multilora.engine.start import check_slots
from multilora.engine.views import Load
from multilora.models.shapes import ModelShape

if TYPE_CHECKING:
    from vllm.config import VllmConfig
    from vllm.lora.request import LoRARequest


class BareLoRA:
    """A model of random weights, vLLM's LoRA worker and its slots.

    worker is the LRUCacheWorkerLoRAManager, manager its model manager,
    loads what was read and copied so far (views.Load).
    """

    def __init__(
        self,
        model: str | Path | dict,
        max_loras: int,
        max_lora_rank: int = 8,
        max_cpu_loras: int | None = None,
        dtype: str = "float32",
        target_modules: Sequence[str] | None = None,
    ) -> None:
        """Build the model of a folder, or of a config.json as a dict.

        Arguments as engine.start's; target_modules is vLLM's
        lora_target_modules. Raises EngineUnavailableError without vLLM,
        ValueError for what vLLM refuses.
        """
        ModelShape.from_config(model)
        check_slots(max_loras, max_lora_rank, max_cpu_loras)
        quiet.prepare()
        self._folder = None
        if isinstance(model, dict):
            self._folder = tempfile.TemporaryDirectory()
            model = _written(model, self._folder.name)
        config = vllm_config(
            model,
            dtype=dtype,
            max_loras=max_loras,
            max_lora_rank=max_lora_rank,
            max_cpu_loras=max_cpu_loras,
            lora_target_modules=target_modules,
        )
        self.worker = _worker(config)
        self.manager = self.worker._adapter_manager
        self.adapters: dict[int, LoRARequest] = {}
        self._recorder = Recorder(None, self.worker, str)

    @property
    def loads(self) -> list[Load]:
        """Every Load so far, in order: from disk, and into a slot."""
        return self._recorder.loads

    def add(self, folder: str | Path, lora_ids: Iterable[int]) -> None:
        """Name one adapter folder by several ids; nothing is loaded yet."""
        from vllm.lora.request import LoRARequest

        folder = checkpoints.path_of("folder", folder)
        if not Path(folder).is_dir():
            raise ValueError(f"folder is {shown(str(folder))}: no such folder")
        for lora_id in items("lora_ids", lora_ids, int):
            integer("lora_ids", lora_id, minimum=1)
            self.adapters[lora_id] = LoRARequest(
                f"adapter-{lora_id}", lora_id, str(folder)
            )

    def step(
        self, lora_ids: Iterable[int], as_set: bool = False
    ) -> tuple[list[int | None], list[Load]]:
        """Let vLLM apply a step's adapters; return (slots, new loads).

        They are walked in the order given; as_set walks them as the engine
        does, which makes a set of the LoRARequests first. slots is
        [lora id or None, …] by index.
        """
        lora_ids = items("lora_ids", lora_ids, int)
        unknown = set(lora_ids) - self.adapters.keys()
        if unknown or len(set(lora_ids)) > self.manager.lora_slots:
            raise ValueError(
                f"lora_ids is {shown(lora_ids)}, but must name added ones, at "
                f"most max_loras = {self.manager.lora_slots} distinct"
            )
        requests = [self.adapters[lora_id] for lora_id in lora_ids]
        num_loads = len(self.loads)
        self.worker._apply_adapters(set(requests) if as_set else requests)
        return list(self.manager.lora_index_to_id), self.loads[num_loads:]

    @property
    def cpu_tier(self) -> list[int]:
        """The ids in the CPU tier, least recently used first."""
        return list(self.manager._registered_adapters.order)

    @property
    def lru_order(self) -> list[int]:
        """The ids that have a slot, least recently used first."""
        return list(self.manager._active_adapters.order)


def vllm_config(model: str | Path, **options: object) -> "VllmConfig":
    """Return vLLM's own VllmConfig for a folder, LoRA enabled.

    options go to vLLM's EngineArgs; None among them is left out.
    """
    from vllm.engine.arg_utils import EngineArgs

    defaults = {
        "load_format": "dummy",
        "skip_tokenizer_init": True,
        "enable_lora": True,
        "enforce_eager": True,
        "max_model_len": 256,
        "enable_prefix_caching": False,
    }
    options = {k: v for k, v in options.items() if v is not None}
    arguments = EngineArgs(model=str(model), **(defaults | options))
    return arguments.create_engine_config()


def _worker(config):
    import torch
    from vllm.config import set_current_vllm_config
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager
    from vllm.model_executor.model_loader import get_model

    device = torch.device("cpu")
    with _no_accelerator(), set_current_vllm_config(config):
        _join_a_group_of_one(config)
        model = get_model(vllm_config=config)
        worker = LRUCacheWorkerLoRAManager(
            config, device, model.embedding_modules
        )
        worker.create_lora_manager(model, config)
    return worker


@contextmanager
def _no_accelerator():
    """Without an accelerator torch refuses calls that the loader makes."""
    import torch
    from vllm.v1.worker import cpu_model_runner

    names = ("synchronize", "empty_cache")
    as_shipped = {name: getattr(torch.accelerator, name) for name in names}
    cpu_model_runner._set_torch_accelerator_to_noop()
    try:
        yield
    finally:
        for name, function in as_shipped.items():
            setattr(torch.accelerator, name, function)


def _join_a_group_of_one(config):
    """vLLM's layers ask for process groups, also where there is one."""
    from vllm.distributed import parallel_state

    if not parallel_state.model_parallel_is_initialized():
        # The file is asked again for each later group: it stays to the end.
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        parallel_state.init_distributed_environment(
            1, 0, f"file://{folder}/rendezvous", 0, "gloo"
        )
    elif config.model_config.get_num_experts() and not parallel_state._EP:
        # Groups for experts come only with a mixture among the first.
        parallel_state.destroy_model_parallel()
    parallel_state.ensure_model_parallel_initialized(1, 1)


def _written(config: dict, folder: str) -> str:
    (Path(folder) / "config.json").write_text(json.dumps(config))
    return folder
