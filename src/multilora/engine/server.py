"""vLLM's OpenAI server on loopback: started, waited for, and stopped."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from multilora.adapters.check import check_adapter
from multilora.adapters.checkpoints import path_of, weight_files
from multilora.arguments import choice, finite_number, integer, items, text
from multilora.engine import inside, launch, loopback, quiet
from multilora.engine.journal import Journal
from multilora.engine.loopback import ServerError
from multilora.engine.program import Program
from multilora.engine.start import check_slots
from multilora.engine.views import Arrival, Load, TimedStep
from multilora.models.shapes import ModelShape

if TYPE_CHECKING:
    from openai import OpenAI

MAX_DISK_MS = 60_000


class Server(Program):
    """A vLLM server with tenants, for a `with` block.

    model is the base's folder, adapters maps names to folders; each is a
    model name in the API, beside "base". With is_runtime_loading_allowed,
    load() and unload() work. port None takes a free one. There may be more
    adapters than max_loras slots and than max_cpu_loras copies (by default
    as many as slots): vLLM evicts the least recently used one. core is the
    number of the core that the model computes on; None leaves it to vLLM.
    Each read of an adapter's files takes disk_ms milliseconds more, as from
    slow storage. options are further arguments of vllm serve.
    Raises ServerError when the port is taken or the server does not get
    healthy in `seconds`; its last log lines are in the message. Adapters
    are checked first, as check_adapter does, and raise its AdapterError.
    """

    what = "server"

    def __init__(
        self,
        model: str | Path,
        adapters: Mapping[str, str | Path] | None = None,
        max_loras: int = 2,
        max_lora_rank: int = 16,
        port: int | None = None,
        is_runtime_loading_allowed: bool = False,
        seconds: float = 300,
        max_cpu_loras: int | None = None,
        core: int | None = None,
        disk_ms: float = 0,
        options: Sequence[str] = (),
    ) -> None:
        self.model = Path(path_of("model", model))
        options = items("options", options, str)
        if "dummy" not in options:  # --load-format dummy reads no weights
            weight_files(self.model)
        self._shape = ModelShape.from_config(self.model)
        self.adapters = launch.checked_adapters(adapters)
        super().__init__(port, seconds)
        max_loras = integer("max_loras", max_loras, minimum=1)
        check_slots(max_loras, max_lora_rank, max_cpu_loras)
        self._max_lora_rank = max_lora_rank
        for folder in self.adapters.values():
            check_adapter(folder, self._shape, max_lora_rank)
        self._line = launch.command(
            self.model,
            self.adapters,
            self.port,
            max_loras,
            max_lora_rank,
            max_cpu_loras or max_loras,
            options,
        )
        self._allowed = choice(
            "is_runtime_loading_allowed",
            is_runtime_loading_allowed,
            (True, False),
        )
        self.core = None if core is None else launch.checked_core(core)
        self._disk_ms = finite_number("disk_ms", disk_ms, 0, MAX_DISK_MS)
        self._journal = Journal()

    @property
    def loads(self) -> list[Load]:
        """Every Load since the first start: from disk, and into a slot."""
        return self._journal.loads

    @property
    def arrivals(self) -> list[Arrival]:
        """Every request that came to the engine, in order."""
        return self._journal.arrivals

    @property
    def steps(self) -> list[TimedStep]:
        """Every step of the engine, in order."""
        return self._journal.steps

    def client(self) -> "OpenAI":
        """Return an openai.OpenAI client of this server."""
        from openai import OpenAI

        return OpenAI(base_url=self.url, api_key="not checked", max_retries=0)

    def start(self) -> None:
        """Start the server and wait until /health answers.

        It ends with this process, however that ends, not with this thread.
        """
        quiet.require_installed()
        num_begun = self._journal.num_begun
        super().start()
        if self._journal.num_begun == num_begun:
            self.stop()
            raise ServerError(
                "vLLM did not load the plugin that keeps the base's rows "
                "right: its Python must be able to import multilora; the "
                "log has the reason"
            )

    def model_names(self) -> list[str]:
        """Return what /v1/models lists: the base, then its adapters."""
        told = json.loads(loopback.get(f"{self.url}/models"))
        return [model["id"] for model in told["data"]]

    def load(self, name: str, folder: str | Path, check: bool = True) -> None:
        """Add a tenant while the server runs; raise ServerError if not.

        check raises AdapterError first for files that would not serve:
        vLLM takes some of them with a 200.
        """
        launch.check_name("name", name)
        # The server has a working directory of its own.
        folder = Path(path_of("folder", folder)).resolve()
        if check:
            check_adapter(folder, self._shape, self._max_lora_rank)
        body = {"lora_name": name, "lora_path": str(folder)}
        self._post("load_lora_adapter", body)

    def unload(self, name: str) -> None:
        """Take a tenant's name away; vLLM 0.32 keeps its weights for now."""
        body = {"lora_name": text("name", name)}
        self._post("unload_lora_adapter", body)

    def _post(self, action, body):
        if self._process is None:
            raise ServerError("the server is not running: start it first")
        loopback.post(f"{self.url}/{action}", body)

    def _command(self):
        return self._line

    def _environment(self):
        has_spare_slot = not quiet.is_cuda_build()
        ours = inside.settings(
            self._journal.path, has_spare_slot, self._disk_ms
        )
        return launch.environment(self._allowed, self.core) | ours
