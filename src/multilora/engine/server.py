"""vLLM's OpenAI server on loopback: started, waited for, and stopped."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from multilora.arguments import finite_number, integer, shown, text
from multilora.checkpoints import path_of, weight_files
from multilora.engine import quiet
from multilora.engine.processes import die_with_parent, stop_group
from multilora.units import MIB

RUNTIME_LOADING = "VLLM_ALLOW_RUNTIME_LORA_UPDATING"
HOST = "127.0.0.1"


class ServerError(RuntimeError):
    """The server did not start, or answered with an error.

    status is the HTTP status, or None when there was no answer.
    """

    def __init__(self, message, status=None):
        super().__init__(message)
        self.status = status


class Server:
    """A vLLM server with tenants, for a `with` block.

    model is the base's folder, adapters maps names to folders; each is a
    model name in the API, beside "base". With is_runtime_loading_allowed,
    load() and unload() work. port None takes a free one. Raises ServerError
    when the port is taken or the server does not get healthy in `seconds`;
    its last log lines are in the message.
    """

    def __init__(
        self,
        model,
        adapters=None,
        max_loras=2,
        max_lora_rank=16,
        port=None,
        is_runtime_loading_allowed=False,
        seconds=300,
    ):
        self.model = Path(path_of("model", model))
        weight_files(self.model)
        self.adapters = dict(adapters or {})
        self.port = _free_port() if port is None else _checked_port(port)
        self._seconds = finite_number("seconds", seconds, above=0)
        self._max_loras = integer("max_loras", max_loras, minimum=1)
        self._num_loaded = len(self.adapters)
        if self._num_loaded > max_loras:
            raise ValueError(
                f"adapters has {self._num_loaded} entries, but max_loras is "
                f"{max_loras}: this helper wants a slot for each"
            )
        self._command = self._arguments(max_loras, max_lora_rank)
        self._allowed = is_runtime_loading_allowed
        self._process = self._log = None

    @property
    def url(self):
        """The address of the API, as the openai client wants it."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def log(self):
        """Everything that the server has printed so far."""
        return Path(self._log.name).read_text("utf-8", errors="replace")

    def client(self):
        """Return an openai.OpenAI client of this server."""
        from openai import OpenAI

        return OpenAI(base_url=self.url, api_key="not checked", max_retries=0)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def start(self):
        """Start the server and wait until /health answers."""
        if not quiet.is_available():
            raise quiet.EngineUnavailableError(
                f"vLLM is not installed: {quiet.HOW_TO_INSTALL}"
            )
        self._log = tempfile.NamedTemporaryFile(suffix=".log")
        self._process = subprocess.Popen(
            self._command,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        try:
            self._wait_for_health()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Stop the server and every process it started; safe to repeat."""
        if self._process is not None:
            stop_group(self._process)
            self._process = None

    def load(self, name, folder):
        """Add a tenant while the server runs; raise ServerError if not.

        On the CPU build no more than max_loras are taken in a server's
        life: unloading frees a name, not the slot, and an adapter in the
        spare slot would spoil the base's rows.
        """
        body = {
            "lora_name": text("name", name),
            "lora_path": str(path_of("folder", folder)),
        }
        if self._num_loaded >= self._max_loras and not quiet.is_cuda_build():
            raise ServerError(
                f"name is {shown(name)}, but this server has taken "
                f"max_loras = {self._max_loras} adapters already: start it "
                "with more"
            )
        self._post("load_lora_adapter", body)
        self._num_loaded += 1

    def unload(self, name):
        """Take a tenant's name away; vLLM 0.32 keeps its weights for now."""
        body = {"lora_name": text("name", name)}
        self._post("unload_lora_adapter", body)

    def _post(self, action, body):
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

    def _wait_for_health(self):
        deadline = time.monotonic() + self._seconds
        address = f"http://{HOST}:{self.port}/health"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerError(f"the server stopped:\n{self._last_lines()}")
            try:
                urllib.request.urlopen(address, timeout=5).read()
                return
            except OSError:
                time.sleep(0.5)
        raise ServerError(
            f"not healthy after {self._seconds:.0f} s:\n{self._last_lines()}"
        )

    def _last_lines(self):
        return "\n".join(self.log.splitlines()[-12:])

    def _environment(self):
        # The server's engine core is a process of its own.
        ours = {**quiet.SETTINGS, "VLLM_LOGGING_LEVEL": "INFO"}
        del ours["VLLM_ENABLE_V1_MULTIPROCESSING"]
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in (*quiet.SETTINGS, RUNTIME_LOADING, "FORCE_COLOR")
        }
        gate = {RUNTIME_LOADING: "1"} if self._allowed else {}
        return {**kept, **ours, **gate, "NO_COLOR": "1"}

    def _arguments(self, max_loras, max_lora_rank):
        spare = 0 if quiet.is_cuda_build() else 1  # base rows stay right
        return [
            sys.executable,
            *quiet.server_module(),
            *("--model", str(self.model), "--served-model-name", "base"),
            *("--host", HOST, "--port", str(self.port)),
            *("--max-model-len", "256", "--enforce-eager"),
            *("--kv-cache-memory-bytes", str(16 * MIB)),
            *("--dtype", "auto" if quiet.is_cuda_build() else "float32"),
            *("--enable-lora", "--max-loras", str(max_loras + spare)),
            *("--max-lora-rank", str(max_lora_rank)),
            *(["--lora-modules"] if self.adapters else []),
            *(f"{name}={folder}" for name, folder in self.adapters.items()),
        ]


def _checked_port(port):
    port = integer("port", port, 1, 65535)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerError(
                f"port is {port}, which cannot be had ({error.strerror}): "
                "leave port out to take a free one"
            ) from None
    return port


def _free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _message(answer):
    try:
        found = json.loads(answer)
        return found.get("error", found)["message"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return shown(answer)
