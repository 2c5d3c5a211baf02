"""A real vLLM CPU server with more tenants than slots, its loads counted.

The base is ours with eight layers, 512 wide and of random weights, so that
a step takes some 20 ms. multilora.engine.server.Server refuses such servers:
on this build base rows would be spoilt, which no time shows.
"""

import json
import os
import shutil
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from multilora.engine import launch, quiet
from multilora.engine.dummies import write_adapter
from multilora.engine.processes import Supervised
from multilora.models.shapes import ModelShape
from multilora.tenants import folder_of
from multilora.units import MIB

PLUGIN = Path(__file__).parent / "vllm_counting"
NUM_ADAPTERS = 8
SIZES = {"hidden_size": 512, "intermediate_size": 1408, "head_dim": 64,
         "num_hidden_layers": 8, "num_attention_heads": 8,
         "num_key_value_heads": 8,
         "max_position_embeddings": 1024}  # fmt: skip
WHAT = "8 layers, 512 wide, random weights; adapters of rank 8"
MAX_NUM_SEQS = 16
MAX_BATCHED_TOKENS = 1024


def write_model(folder):
    """Write the base and its adapters; return (base, {name: folder})."""
    base = folder / "base"
    shutil.copytree(folder_of("base"), base)
    (base / "model.safetensors").unlink()
    config = json.loads((base / "config.json").read_text("utf-8"))
    (base / "config.json").write_text(json.dumps(config | SIZES))
    shape = ModelShape.from_config(base)
    adapters = {f"tenant-{i}": folder / f"{i}" for i in range(NUM_ADAPTERS)}
    for path in adapters.values():
        write_adapter(path, shape, 8)
    return base, adapters


class LiveServer:
    """Where a server is, and what it has loaded since counting began."""

    def __init__(self, port, log):
        self.url = f"http://{launch.HOST}:{port}"
        self._log = log
        self._seen = 0

    def count_loads(self):
        """Return (slot loads, disk loads) since the last call."""
        lines = self._log.read_text("utf-8").split()
        fresh, self._seen = lines[self._seen :], len(lines)
        return fresh.count("slot"), fresh.count("disk")


@contextmanager
def live_server(folder, max_loras, max_cpu_loras, disk_ms=0, seconds=180):
    """Start a server with eight tenants; yield a LiveServer.

    Each read of an adapter's files takes disk_ms more, as from slow storage.
    """
    base, adapters = write_model(folder)
    port, log = launch.free_port(), folder / "loads.log"
    log.touch()
    path = [str(PLUGIN), os.environ.get("PYTHONPATH", "")]
    process = Supervised(
        _command(base, adapters, port, max_loras, max_cpu_loras),
        launch.environment(True)
        | {
            "MULTILORA_LOADS_LOG": str(log),
            "MULTILORA_DISK_MS": str(disk_ms),
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "PYTHONHASHSEED": "0",  # the order in which adapters are walked
            "VLLM_CPU_OMP_THREADS_BIND": "0",  # the other one is the client's
        },
    )
    try:
        process.start()
        _wait(process, f"http://{launch.HOST}:{port}/health", seconds)
        yield LiveServer(port, log)
    finally:
        process.stop()


def _command(base, adapters, port, max_loras, max_cpu_loras):
    return [
        sys.executable,
        *quiet.server_module(),
        *("--model", str(base), "--served-model-name", "base"),
        *("--load-format", "dummy", "--dtype", "float32", "--enforce-eager"),
        *("--host", launch.HOST, "--port", str(port)),
        *("--max-model-len", "1024", "--max-num-seqs", str(MAX_NUM_SEQS)),
        *("--max-num-batched-tokens", str(MAX_BATCHED_TOKENS)),
        *("--kv-cache-memory-bytes", str(512 * MIB)),
        *("--enable-lora", "--max-lora-rank", "8"),
        *("--max-loras", str(max_loras)),
        *("--max-cpu-loras", str(max_cpu_loras), "--lora-modules"),
        *(f"{name}={path}" for name, path in adapters.items()),
    ]


def _wait(process, address, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.is_running():
        try:
            urllib.request.urlopen(address, timeout=5).read()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"the server is not there:\n{process.log[-3000:]}")
