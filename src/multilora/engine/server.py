"""vLLM's OpenAI server on loopback: started, waited for, and stopped."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from multilora.adapters.check import check_adapter
from multilora.adapters.checkpoints import path_of, weight_files
from multilora.arguments import choice, finite_number, integer, shown, text
from multilora.engine import launch, quiet
from multilora.engine.launch import HOST, ServerError
from multilora.engine.processes import Supervised
from multilora.models.shapes import ModelShape
from multilora.models.versions import DEFAULT_VERSION, nearest_rule

if TYPE_CHECKING:
    from openai import OpenAI


class Server:
    """A vLLM server with tenants, for a `with` block.

    model is the base's folder, adapters maps names to folders; each is a
    model name in the API, beside "base". With is_runtime_loading_allowed,
    load() and unload() work. port None takes a free one. Raises ServerError
    when the port is taken or the server does not get healthy in `seconds`;
    its last log lines are in the message. Adapters are checked first, as
    check_adapter does, and raise its AdapterError.
    """

    def __init__(
        self,
        model: str | Path,
        adapters: Mapping[str, str | Path] | None = None,
        max_loras: int = 2,
        max_lora_rank: int = 16,
        port: int | None = None,
        is_runtime_loading_allowed: bool = False,
        seconds: float = 300,
    ) -> None:
        self.model = Path(path_of("model", model))
        weight_files(self.model)
        shape = ModelShape.from_config(self.model)
        self.adapters = launch.checked_adapters(adapters)
        self.port = (
            launch.free_port() if port is None else launch.checked_port(port)
        )
        self._seconds = finite_number("seconds", seconds, above=0)
        self._max_loras = integer("max_loras", max_loras, minimum=1)
        self._num_loaded = len(self.adapters)
        if self._num_loaded > max_loras:
            raise ValueError(
                f"adapters has {self._num_loaded} entries, but max_loras is "
                f"{max_loras}: this helper wants a slot for each"
            )
        choice(
            "max_lora_rank", max_lora_rank, nearest_rule(DEFAULT_VERSION).ranks
        )
        self._shape, self._max_lora_rank = shape, max_lora_rank
        for folder in self.adapters.values():
            check_adapter(folder, shape, max_lora_rank)
        self._command = launch.command(
            self.model, self.adapters, self.port, max_loras, max_lora_rank
        )
        self._allowed = choice(
            "is_runtime_loading_allowed",
            is_runtime_loading_allowed,
            (True, False),
        )
        self._process: Supervised | None = None
        self._printed = ""
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address of the API, as the openai client wants it."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def log(self) -> str:
        """Everything that the server has printed so far, or did."""
        process = self._process
        return self._printed if process is None else process.log

    def client(self) -> "OpenAI":
        """Return an openai.OpenAI client of this server."""
        from openai import OpenAI

        return OpenAI(base_url=self.url, api_key="not checked", max_retries=0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until /health answers.

        It ends with this process, however that ends, not with this thread.
        """
        quiet.require_installed()
        process = Supervised(self._command, launch.environment(self._allowed))
        try:
            self._take(process)
            process.start()
            self._wait_for_health(process)
        except BaseException:
            self._end(process)
            raise

    def stop(self) -> None:
        """Stop the server and every process it started; safe to repeat."""
        process = self._process
        if process is not None:
            self._end(process)

    def _take(self, process):
        with self._lock:
            if self._process is not None:
                raise ServerError(f"the server runs already, at {self.url}")
            self._process = process

    def _end(self, process: Supervised):
        process.stop()
        with self._lock:
            if self._process is process:
                self._process, self._printed = None, process.log

    def load(self, name: str, folder: str | Path, check: bool = True) -> None:
        """Add a tenant while the server runs; raise ServerError if not.

        check raises AdapterError first for files that would not serve:
        vLLM takes some of them with a 200.

        On the CPU build no more than max_loras are taken in a server's
        life: unloading frees a name, not the slot, and an adapter in the
        spare slot would spoil the base's rows.
        """
        launch.check_name("name", name)
        # The server has a working directory of its own.
        folder = Path(path_of("folder", folder)).resolve()
        body = {"lora_name": name, "lora_path": str(folder)}
        if self._num_loaded >= self._max_loras and not quiet.is_cuda_build():
            raise ServerError(
                f"name is {shown(name)}, but this server has taken "
                f"max_loras = {self._max_loras} adapters already, unloaded "
                "ones too: start it with more"
            )
        if check:
            check_adapter(folder, self._shape, self._max_lora_rank)
        self._post("load_lora_adapter", body)
        self._num_loaded += 1

    def unload(self, name: str) -> None:
        """Take a tenant's name away; vLLM 0.32 keeps its weights for now."""
        body = {"lora_name": text("name", name)}
        self._post("unload_lora_adapter", body)

    def _post(self, action, body):
        if self._process is None:
            raise ServerError("the server is not running: start it first")
        request = urllib.request.Request(
            f"{self.url}/{action}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            urllib.request.urlopen(request, timeout=60).read()
        except urllib.error.HTTPError as error:
            answer = error.read().decode(errors="replace")
            raise ServerError(_message(answer), error.code) from None
        except OSError as error:
            raise ServerError(f"no answer from {self.url}: {error}") from None

    def _wait_for_health(self, process):
        deadline = time.monotonic() + self._seconds
        address = f"http://{HOST}:{self.port}/health"
        while time.monotonic() < deadline:
            if not process.is_running():
                raise ServerError(f"the server stopped:\n{_end_of(process)}")
            try:
                urllib.request.urlopen(address, timeout=5).read()
                return
            except OSError:
                time.sleep(0.5)
        raise ServerError(
            f"not healthy after {self._seconds:.0f} s:\n{_end_of(process)}"
        )


def _end_of(process):
    lines = [line for line in process.log.splitlines() if line.strip()]
    return "\n".join(lines[-12:])


def _message(answer):
    try:
        found = json.loads(answer)
        return found.get("error", found)["message"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return shown(answer)
