"""A Ray cluster of this machine, as `ray start` begins one."""

import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from multilora.engine import launch
from multilora.engine.processes import Supervised

HOST = "127.0.0.1"
TRIES = 2  # Ray gives up where its own agents need 15 s to start


@contextmanager
def cluster():
    """Yield (client's port, environment of who may use it)."""
    folder = tempfile.mkdtemp(prefix="ray")  # short: sockets lie in it
    port = launch.free_port()
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    access = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_TMPDIR": folder,
    }
    line = [
        str(Path(sys.executable).with_name("ray")), "start", "--head",
        "--block", "--num-cpus=2", f"--port={launch.free_port()}",
        f"--ray-client-server-port={port}", "--min-worker-port=0",
        "--max-worker-port=0", "--include-dashboard=false",
    ]  # fmt: skip
    process = None
    try:
        for _ in range(TRIES):
            process = Supervised(line, kept | access)
            process.start()
            if _is_up(process, port):
                break
            process.stop()
        else:
            raise AssertionError(process.log)
        yield port, access
    finally:
        process.stop()
        shutil.rmtree(folder)


def _is_up(process, port):
    while process.is_running():
        try:
            socket.create_connection((HOST, port), 1).close()
            return True
        except OSError:
            time.sleep(0.3)
    return False
