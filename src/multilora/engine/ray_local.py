"""A Ray of this machine whose processes end with ours, however ours ends.

Where the owner of a Ray is killed, Ray leaves its agents behind for a
minute. Run by its path, this file is a guard against that: it notes what its
parent's raylet has started, and kills what is left of it when its own input
ends without a word. It then imports the standard library only.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

TICK_SECONDS = 0.3
DONE = b"done"
RAYLET = b"raylet"


class LocalRay:
    """Ray on num_cpus cores of this machine, whatever the machine has."""

    def __init__(self, num_cpus: int) -> None:
        self._num_cpus = num_cpus
        self._guard: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it in this process, as ray_setup.start_here does."""
        from multilora.engine.ray_setup import start_here

        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for its owner
        )
        start_here(self._num_cpus)

    def stop(self) -> None:
        """Let the guard go, once Ray is shut down; safe to repeat."""
        if self._guard is not None:
            self._guard.communicate(DONE)
            self._guard = None


class Process(NamedTuple):
    """A process of this machine; its number and start are its alone."""

    number: int
    start: bytes
    name: bytes
    parent: int


def guard(owner: int) -> None:
    """Watch what the owner's raylet starts; kill it when the owner is gone."""
    seen: set[tuple[int, bytes]] = set()
    while os.getppid() == owner:
        seen |= _of_raylet(owner)
        if select.select([0], [], [], TICK_SECONDS)[0]:
            if os.read(0, len(DONE)) == DONE:
                return
            break
    for process in _processes():
        if (process.number, process.start) in seen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.number, signal.SIGKILL)


def _of_raylet(owner):
    """Return (number, start) of all that descends from the owner's raylet."""
    processes = _processes()
    wanted = {
        one.number
        for one in processes
        if one.parent == owner and one.name == RAYLET
    }
    found: set[tuple[int, bytes]] = set()
    while wanted:
        below = [one for one in processes if one.parent in wanted]
        found |= {(one.number, one.start) for one in below}
        wanted = {one.number for one in below}
    return found


def _processes():
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            # proc(5): the name stands in brackets, and may hold any byte.
            head, _, tail = file.read_bytes().rpartition(b")")
            number, _, name = head.partition(b" (")
            rest = tail.split()
            found.append(Process(int(number), rest[19], name, int(rest[1])))
    return found


if __name__ == "__main__":
    guard(os.getppid())
