"""A running engine: adapters by name, generation, one step at a time."""

import gc
import threading
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.checkpoints import base_fingerprint, path_of
from multilora.arguments import shown, text
from multilora.engine import generation
from multilora.engine.recorder import Recorder
from multilora.engine.views import EngineStep, Load, Reply
from multilora.models.shapes import ModelShape

if TYPE_CHECKING:
    from vllm import LLM
    from vllm.lora.model_manager import LRUCacheLoRAModelManager
    from vllm.lora.request import LoRARequest


class Engine:
    """vLLM in this process, made by multilora.engine.start.

    llm is vLLM's own LLM object, scheduler and runner are its core's parts,
    adapters maps a name to its LoRARequest. Use it in a `with` block, or
    call stop(). Calls from several threads take turns.
    """

    def __init__(
        self, llm: "LLM", model: Path, max_loras: int | None, num_spare: int
    ) -> None:
        client = llm.llm_engine.engine_core
        # It would end what every engine of this process shares.
        client._finalizer.detach()
        core = client.engine_core
        self.llm = llm
        self.model = model
        self.shape = ModelShape.from_config(model, name=model.name)
        self.max_loras = max_loras
        self.num_spare = num_spare
        self.adapters: dict[str, LoRARequest] = {}
        self.scheduler = core.scheduler
        self.runner = core.model_executor.driver_worker.worker.model_runner
        worker = None if max_loras is None else self.runner.lora_manager
        self._turn = threading.Lock()
        self.recorder = Recorder(self.scheduler, worker, self._name_of)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Give the engine's memory back; calling it twice does no harm."""
        if "llm" in vars(self):
            core = self.llm.llm_engine.engine_core.engine_core
            core.model_executor.shutdown()
            core.scheduler.shutdown()
            del self.llm, self.scheduler, self.runner
        gc.collect()

    def __getattr__(self, name: str) -> object:
        # Only reached when an attribute is absent, so after stop().
        if name in ("llm", "scheduler", "runner"):
            raise ValueError("this engine was stopped: start another")
        raise AttributeError(name)

    @property
    def manager(self) -> "LRUCacheLoRAModelManager":
        """vLLM's own manager of slots and CPU tier."""
        if self.max_loras is None:
            raise ValueError("max_loras is None: this engine has no slots")
        return self.runner.lora_manager._adapter_manager

    @cached_property
    def base_sha256(self) -> str:
        """The base_fingerprint of the model, hashed once."""
        return base_fingerprint(self.model)

    @property
    def loads(self) -> list[Load]:
        """Every Load so far, in order: from disk, and into a slot."""
        return self.recorder.loads

    def load(
        self,
        name: str,
        folder: str | Path,
        check: bool = True,
        check_base: bool = False,
    ) -> "LoRARequest":
        """Load an adapter under a name; return its vLLM LoRARequest.

        The files are checked first (check_adapter), then vLLM validates
        them outside any request, because a bad adapter in a request wedges
        the engine. check_base asks for the base's fingerprint too. Raises
        AdapterError, and leaves nothing behind in the engine.
        """
        from vllm.lora.request import LoRARequest

        manager = self.manager
        if text("name", name) in ("", "base") or name in self.adapters:
            raise ValueError(
                f"name is {shown(name)}, but must be new, not empty and not "
                "'base'"
            )
        folder = str(path_of("folder", folder))
        if check:
            sha256 = self.base_sha256 if check_base else None
            rank = manager.lora_config.max_lora_rank
            check_adapter(folder, self.shape, rank, sha256)
        used = [item.lora_int_id for item in self.adapters.values()]
        request = LoRARequest(name, max(used, default=0) + 1, folder)
        self.adapters[name] = request
        try:
            self.llm.llm_engine.add_lora(request)
        except Exception as error:
            # A failed copy leaves the id registered and its slot taken.
            self.unload(name)
            raise AdapterError(f"vLLM refuses {name}: {error}") from error
        return request

    def unload(self, name: str) -> None:
        """Take an adapter out of its slot, the CPU tier and the names."""
        self.forget(name)
        del self.adapters[name]

    def forget(self, name: str) -> None:
        """Empty an adapter's slot and its CPU copy; the name stays known.

        The next request for it is cold: it reads the disk again.
        """
        self.llm.llm_engine.remove_lora(self._id(name))

    def vacate(self, name: str) -> None:
        """Empty an adapter's slot only; its CPU copy stays."""
        lora_id = self._id(name)
        if lora_id in self.manager._active_adapters:
            del self.manager._active_adapters[lora_id]  # frees its slot too

    def slots(self) -> dict[int, str | None]:
        """Return {slot index: adapter name or None}, the spare one too."""
        return {
            slot: None if lora_id is None else self._name_of(lora_id)
            for slot, lora_id in enumerate(self.manager.lora_index_to_id)
        }

    def cpu_tier(self) -> list[str]:
        """Return the names in the CPU tier, least recently used first."""
        order = self.manager._registered_adapters.order
        return [self._name_of(lora_id) for lora_id in order]

    def generate(
        self,
        prompts: Iterable[str],
        adapters: Iterable[str | None] | None = None,
        max_tokens: int = 96,
    ) -> list[Reply]:
        """Return one Reply a prompt, greedy, all prompts in one batch.

        adapters names an adapter a prompt, None for the base. Raises
        ValueError for no prompts, lists of different lengths, an unknown
        name, or a prompt that is too long; no request is left behind.
        """
        with self._turn:
            return generation.answer(self, prompts, adapters, max_tokens)

    def watch(
        self,
        prompts: Iterable[str],
        adapters: Iterable[str | None] | None = None,
        max_tokens: int = 96,
    ) -> tuple[list[Reply], list[EngineStep]]:
        """Do as generate does, but return (replies, EngineSteps)."""
        steps: list[EngineStep] = []
        with self._turn:
            replies = generation.answer(
                self, prompts, adapters, max_tokens, steps
            )
        return replies, steps

    def request(self, name: str | None) -> "LoRARequest | None":
        """Return the LoRARequest of a loaded adapter, None for None."""
        return None if name is None else self._loaded(name)

    def _loaded(self, name):
        if not isinstance(name, str) or name not in self.adapters:
            known = ", ".join(self.adapters) or "none yet"
            raise ValueError(
                f"adapter is {shown(name)}, but must be a loaded one: {known}"
            )
        return self.adapters[name]

    def _id(self, name):
        return self._loaded(text("name", name)).lora_int_id

    def _name_of(self, lora_id):
        for name, item in self.adapters.items():
            if item.lora_int_id == lora_id:
                return name
        return f"id {lora_id}"
