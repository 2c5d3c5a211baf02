"""Ray Serve's multiplexing in front of vLLM: who loads what, how often."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from multilora.adapters.checkpoints import path_of
from multilora.arguments import finite_number, integer, items, shown, text
from multilora.engine import launch, quiet, ray_setup
from multilora.engine.launch import ServerError
from multilora.engine.processes import Supervised

MAX_REPLICAS, MAX_CLIENTS = 64, 1024
# Ray Serve's max_ongoing_requests, where nobody sets it.
MAX_ONGOING = 5
TICK_SECONDS = 0.2


class Phase(NamedTuple):
    """Requests by so many clients, each of them sent after the last reply.

    adapters are names in the order in which the requests are sent.
    """

    num_clients: int
    adapters: tuple[str, ...]


class Setting(NamedTuple):
    """A deployment: replicas, the models of each, requests that it takes.

    max_models is max_num_models_per_replica and vLLM's max_loras and
    max_cpu_loras; max_ongoing is max_ongoing_requests of a replica.
    """

    num_replicas: int
    max_models: int
    phases: tuple[Phase, ...]
    max_ongoing: int = MAX_ONGOING


class Answer(NamedTuple):
    """A reply: when it was sent, how long it took, and who gave it.

    replica is numbered from 0 in the order of first replies of a setting.
    """

    adapter: str
    replica: int
    sent_ms: float
    took_ms: float
    text: str


class Served(NamedTuple):
    """What came of a Phase: answers as they were sent, and loads in it.

    num_loads are calls of the function that Ray Serve loads a model with,
    num_slot_loads and num_disk_loads what vLLM copied into slots and read.
    """

    answers: tuple[Answer, ...]
    num_loads: int
    num_slot_loads: int
    num_disk_loads: int

    @property
    def homes(self) -> dict[str, int]:
        """On how many replicas each adapter was served."""
        found: dict[str, set[int]] = {}
        for one in self.answers:
            found.setdefault(one.adapter, set()).add(one.replica)
        return {name: len(found[name]) for name in sorted(found)}


def serve_on_ray(
    model: str | Path,
    adapters: Mapping[str, str | Path],
    settings: Sequence[Setting],
    prompt: str = "say hello",
    num_tokens: int = 4,
    disk_ms: float = 0,
    seconds: float = 300,
) -> list[list[Served]]:
    """Return what comes of each phase of each setting, on a Ray of its own.

    Replicas start vLLM in their own process, on the base in the folder
    model, and read an adapter of `adapters` {name: folder} when Ray Serve
    asks for it; disk_ms more makes that cost as much as a slower disk.
    Ray and all that it starts end with this call, and with this process
    however it ends. Raises ValueError without Ray or for wrong arguments,
    EngineUnavailableError without vLLM, ServerError where it does not come
    to an end within `seconds`; its last log lines are in the message.
    """
    folders = launch.checked_adapters(adapters)
    settings = [
        check_setting(one, folders)
        for one in items("settings", settings, Setting)
    ]
    shared = {
        "base": str(Path(path_of("model", model)).resolve()),
        "folders": {k: str(Path(v).resolve()) for k, v in folders.items()},
        "prompt": text("prompt", prompt),
        "num_tokens": integer("num_tokens", num_tokens, 1, 128),
        "disk_ms": finite_number("disk_ms", disk_ms, 0, 60_000),
    }
    seconds = finite_number("seconds", seconds, above=0)
    ray_setup.require_ray("settings", settings, "serve")
    quiet.require_installed()
    with tempfile.TemporaryDirectory() as folder:
        order, result = Path(folder, "order"), Path(folder, "result")
        asked = {"settings": _plain(settings), "replica": shared}
        order.write_text(json.dumps(asked), "utf-8")
        _run(order, result, seconds)
        found = json.loads(result.read_text("utf-8"))
    return [_served(phases) for phases in found]


def check_setting(
    setting: object, adapters: Mapping[str, str | Path]
) -> Setting:
    """Return a Setting as it is; raise ValueError or TypeError if wrong."""
    if not isinstance(setting, Setting):
        raise TypeError(f"setting is {shown(setting)}, but must be a Setting")
    adapters = launch.checked_adapters(adapters)
    integer("num_replicas", setting.num_replicas, 1, MAX_REPLICAS)
    integer("max_models", setting.max_models, 1)
    integer("max_ongoing", setting.max_ongoing, 1)
    for phase in items("phases", setting.phases, Phase):
        integer("num_clients", phase.num_clients, 1, MAX_CLIENTS)
        for name in items("phases", phase.adapters, str):
            if name not in adapters:
                raise ValueError(
                    f"phases holds {shown(name)}, but adapters has no such "
                    "name"
                )
    return setting


def _plain(settings):
    return [
        one._asdict() | {"phases": [tuple(phase) for phase in one.phases]}
        for one in settings
    ]


def _run(order: Path, result: Path, seconds: float) -> None:
    """Run the program to its end, in a session that ends with ours."""
    line = [sys.executable, "-m", "multilora.engine.ray_app"]
    process = Supervised(
        [*line, str(order), str(result)],
        {**os.environ, **quiet.SETTINGS, **ray_setup.SERVE_ENVIRONMENT},
    )
    deadline = time.monotonic() + seconds
    try:
        process.start()
        while not result.exists():
            if not process.is_running() or time.monotonic() > deadline:
                raise ServerError(_why(process, seconds))
            time.sleep(TICK_SECONDS)
    finally:
        process.stop()


def _why(process, seconds):
    end = process.end_of_log
    if process.is_running():
        return f"Ray Serve did not finish within {seconds:.0f} s:\n{end}"
    return f"Ray Serve stopped:\n{end}"


def _served(phases: Sequence[Sequence[dict[str, Any]]]) -> list[Served]:
    """Count loads by phase: replies carry what a replica loaded so far."""
    numbers: dict[int, int] = {}
    before: dict[int, list[int]] = {}
    found = []
    for rows in phases:
        latest = dict(before)
        for row in rows:
            numbers.setdefault(row["replica"], len(numbers))
            seen = latest.get(row["replica"], [0, 0, 0])
            latest[row["replica"]] = list(map(max, seen, row["loads"]))
        new = [
            sum(counts) - sum(old)
            for counts, old in zip(
                zip(*latest.values(), strict=True),
                zip(*before.values(), strict=True) if before else [()] * 3,
                strict=True,
            )
        ]
        found.append(Served(_answers(rows, numbers), *new))
        before = latest
    return found


def _answers(rows, numbers) -> tuple[Answer, ...]:
    return tuple(
        Answer(
            row["name"], numbers[row["replica"]], round(row["sent_ms"], 1),
            round(row["ms"], 1), row["text"],
        )
        for row in sorted(rows, key=lambda row: row["number"])
    )  # fmt: skip
