"""A Ray of this machine whose processes end with ours, however ours ends.

Where the owner of a Ray is killed, Ray leaves its agents behind for a
minute. As a program, this module is a guard against that: it notes what its
parent's raylet has started, and kills what is left of it when its own input
ends without a word.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys

from multilora.engine.ray_setup import start_here
from multilora.engine.supervisor import processes

TICK_SECONDS = 0.3
DONE = b"done"
RAYLET = b"raylet"


class LocalRay:
    """Ray on num_cpus cores of this machine, whatever the machine has."""

    def __init__(self, num_cpus: int) -> None:
        self._num_cpus = num_cpus
        self._guard: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it in this process, as start_here does."""
        self._guard = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for its owner
        )
        start_here(self._num_cpus)

    def stop(self) -> None:
        """Let the guard go, once Ray is shut down; safe to repeat."""
        if self._guard is not None:
            self._guard.communicate(DONE)
            self._guard = None


def guard(owner: int) -> None:
    """Watch what the owner's raylet starts; kill it when the owner is gone."""
    seen: set[tuple[int, bytes]] = set()
    while os.getppid() == owner:
        seen |= _of_raylet(owner)
        if select.select([0], [], [], TICK_SECONDS)[0]:
            if os.read(0, len(DONE)) == DONE:
                return
            break
    for one in processes():
        if (one.number, one.start) in seen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.number, signal.SIGKILL)


def _of_raylet(owner):
    """Return (number, start) of all that descends from the owner's raylet."""
    table = processes()
    wanted = {
        one.number
        for one in table
        if one.parent == owner and one.name == RAYLET
    }
    found: set[tuple[int, bytes]] = set()
    while wanted:
        below = [one for one in table if one.parent in wanted]
        found |= {(one.number, one.start) for one in below}
        wanted = {one.number for one in below}
    return found


if __name__ == "__main__":
    guard(os.getppid())
