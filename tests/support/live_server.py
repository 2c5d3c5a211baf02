"""A real vLLM CPU server with more tenants than slots, its loads counted.

The base is ours with eight layers, 512 wide and of random weights, so that
a step takes some 20 ms.
"""

import json
import shutil
from contextlib import contextmanager

import pytest

from multilora.engine.dummies import write_adapter
from multilora.engine.server import Server
from multilora.models.shapes import ModelShape
from multilora.tenants import folder_of
from multilora.units import MIB

NUM_ADAPTERS = 8
SIZES = {"hidden_size": 512, "intermediate_size": 1408, "head_dim": 64,
         "num_hidden_layers": 8, "num_attention_heads": 8,
         "num_key_value_heads": 8,
         "max_position_embeddings": 1024}  # fmt: skip
WHAT = "8 layers, 512 wide, random weights; adapters of rank 8"
MAX_NUM_SEQS = 16
MAX_BATCHED_TOKENS = 1024
OPTIONS = (
    "--load-format", "dummy",
    "--max-model-len", "1024",
    "--max-num-seqs", str(MAX_NUM_SEQS),
    "--max-num-batched-tokens", str(MAX_BATCHED_TOKENS),
    "--kv-cache-memory-bytes", str(512 * MIB),
)  # fmt: skip


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

    def __init__(self, server):
        self.url = server.site
        self._server = server
        self._seen = 0

    def count_loads(self):
        """Return (slot loads, disk loads) since the last call."""
        loads = self._server.loads
        fresh, self._seen = loads[self._seen :], len(loads)
        kinds = [load.kind for load in fresh]
        return kinds.count("slot"), kinds.count("disk")


@contextmanager
def live_server(folder, max_loras, max_cpu_loras, disk_ms=0, seconds=180):
    """Start a server with eight tenants; yield a LiveServer.

    Each read of an adapter's files takes disk_ms more, as from slow storage.
    """
    base, adapters = write_model(folder)
    with pytest.MonkeyPatch.context() as patch:
        # The order in which a step's adapters are walked.
        patch.setenv("PYTHONHASHSEED", "0")
        with Server(
            base, adapters, max_loras, 8, None, True, seconds, max_cpu_loras,
            core=0,  # the other one is the client's
            disk_ms=disk_ms,
            options=OPTIONS,
        ) as server:  # fmt: skip
            yield LiveServer(server)
