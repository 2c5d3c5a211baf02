"""How a server is started: its command, its environment, its port."""

import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from multilora.adapters.checkpoints import path_of
from multilora.arguments import choice, integer, shown
from multilora.engine import quiet
from multilora.engine.loopback import HOST, ServerError
from multilora.units import MIB

RUNTIME_LOADING = "VLLM_ALLOW_RUNTIME_LORA_UPDATING"
CORES = "VLLM_CPU_OMP_THREADS_BIND"


def command(
    model: str | Path,
    adapters: Mapping[str, str | Path],
    port: int,
    max_loras: int,
    max_lora_rank: int,
    max_cpu_loras: int,
    options: Sequence[str],
) -> list[str]:
    """Return the command line of a server, one slot to spare on a CPU."""
    spare = 0 if quiet.is_cuda_build() else 1  # base rows stay right
    return [
        sys.executable,
        *quiet.server_module(),
        *("--model", str(model), "--served-model-name", "base"),
        *("--host", HOST, "--port", str(port)),
        *("--max-model-len", "256", "--enforce-eager"),
        *("--kv-cache-memory-bytes", str(16 * MIB)),
        *("--dtype", "auto" if quiet.is_cuda_build() else "float32"),
        *("--enable-lora", "--max-loras", str(max_loras + spare)),
        *("--max-cpu-loras", str(max_cpu_loras + spare)),
        *("--max-lora-rank", str(max_lora_rank)),
        *options,
        *(["--lora-modules"] if adapters else []),
        *(f"{name}={folder}" for name, folder in adapters.items()),
    ]


def environment(
    is_runtime_loading_allowed: bool, core: int | None
) -> dict[str, str]:
    """Return a server's environment: ours, a plain log, the gate or not.

    The model computes on that core; None leaves vLLM's choice.
    """
    ours = {**quiet.SETTINGS, "VLLM_LOGGING_LEVEL": "INFO", "NO_COLOR": "1"}
    # The server's engine core is a process of its own.
    del ours["VLLM_ENABLE_V1_MULTIPROCESSING"]
    dropped = (*quiet.SETTINGS, RUNTIME_LOADING, "FORCE_COLOR")
    kept = {k: v for k, v in os.environ.items() if k not in dropped}
    gate = {RUNTIME_LOADING: "1"} if is_runtime_loading_allowed else {}
    bound = {} if core is None else {CORES: str(core)}
    return {**kept, **ours, **gate, **bound}


def checked_adapters(
    adapters: Mapping[str, str | Path] | None,
) -> dict[str, Path]:
    """Return {name: folder}; None is none. Names must fit a command line."""
    adapters = {} if adapters is None else adapters
    if not isinstance(adapters, Mapping):
        raise TypeError(
            f"adapters is {shown(adapters)}, but must map names to folders"
        )
    for name in adapters:
        check_name("adapters", name)
        if name == "base":
            raise ValueError("adapters has the name 'base', which is taken")
    return {
        name: Path(path_of(f"adapters[{name!r}]", folder)).resolve()
        for name, folder in adapters.items()
    }


def check_name(argument: str, name: object) -> None:
    """Raise ValueError for a name that does not fit a command line."""
    is_plain = isinstance(name, str) and re.fullmatch(r"\w[\w.:-]*", name)
    if not is_plain:
        raise ValueError(
            f"{argument} has the name {shown(name)}, but a name starts with "
            "a letter or digit and goes on with those and . : - _"
        )


def checked_port(port: int, argument: str = "port") -> int:
    """Return port if it is free here, or raise ServerError."""
    port = integer(argument, port, 1, 65535)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerError(
                f"{argument} is {port}, which cannot be had "
                f"({error.strerror}): leave {argument} out to take a free one"
            ) from None
    return port


def checked_core(core: int) -> int:
    """Return core if this process may compute there, or raise an error."""
    return choice("core", core, sorted(os.sched_getaffinity(0)))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
