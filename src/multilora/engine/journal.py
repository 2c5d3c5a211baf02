"""What an engine in another process tells: loads, arrivals, steps."""

import json
import os
import weakref
from typing import Any

from multilora.engine.views import Arrival, Load, TimedStep

PATH = "MULTILORA_JOURNAL"
BEGUN, LOAD, ARRIVAL, STEP = "begun", "load", "arrival", "step"


class Journal:
    """A file in memory that the processes of one engine write lines to.

    It goes with this object or this process: nothing remains on a disk.
    """

    def __init__(self) -> None:
        self._file = os.memfd_create("journal")
        weakref.finalize(self, os.close, self._file)

    @property
    def path(self) -> str:
        """Where the engine's processes find it, while this one lives."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    @property
    def num_begun(self) -> int:
        """How often an engine core has begun to write."""
        return len(self._of(BEGUN))

    @property
    def loads(self) -> list[Load]:
        """Every Load so far, in order."""
        return [Load(*rest) for rest in self._of(LOAD)]

    @property
    def arrivals(self) -> list[Arrival]:
        """Every Arrival so far, in order."""
        return [Arrival(*rest) for rest in self._of(ARRIVAL)]

    @property
    def steps(self) -> list[TimedStep]:
        """Every TimedStep so far, in order."""
        steps, load_seconds = [], 0.0
        for kind, *rest in self._lines():
            if kind == LOAD:
                load_seconds += Load(*rest).seconds
            elif kind == STEP:
                steps.append(TimedStep._make([*rest, load_seconds]))
                load_seconds = 0.0
        return steps

    def _of(self, kind):
        return [rest for first, *rest in self._lines() if first == kind]

    def _lines(self):
        held = os.pread(self._file, os.fstat(self._file).st_size, 0)
        return [json.loads(line) for line in held.splitlines()]


class Pen:
    """Writes lines into the Journal at a path, from the engine's side."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def write(self, kind: str, *values: Any) -> None:
        """Append one line, whole: several processes write at once."""
        os.write(self._file, f"{json.dumps([kind, *values])}\n".encode())
