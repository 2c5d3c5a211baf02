"""A process that ends with ours, together with everything it started."""

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from io import FileIO

from multilora.engine import supervisor

GRACE_SECONDS = 5  # for a polite end; then force
NUM_GUARDS = 2
NUM_LAST_LINES = 12
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Supervised:
    """A command that ends when stop() is called or this process ends.

    It does not end with the thread that starts it. However this process
    ends, engine/supervisor.py then ends the command and everything that it
    started: SIGTERM first, SIGKILL after GRACE_SECONDS.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._command, self._environment = command, environment
        self._log = tempfile.TemporaryFile()
        self._printed: str | None = None
        self._leash: FileIO | None = None
        self._process: subprocess.Popen | None = None
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start the command, once; after stop() it is not started."""
        with self._lock:
            if self._printed is not None:
                return
            reading, writing = os.pipe()
            # From here on stop() ends what starts, whatever is raised.
            self._leash = open(writing, "wb", buffering=0)
            try:
                self._process = self._spawned(reading)
            finally:
                os.close(reading)

    def _spawned(self, leash):
        return subprocess.Popen(
            supervisor.line(os.getpid(), GRACE_SECONDS, NUM_GUARDS),
            env=supervisor.environment(self._environment, self._command),
            stdin=leash,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def is_running(self) -> bool:
        """True until the command and all that it started have ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """Everything that the command has printed so far, or did."""
        with self._lock:
            if self._printed is not None:
                return self._printed
            # Its end is where the command writes: that must not move.
            number = self._log.fileno()
            held = os.pread(number, os.fstat(number).st_size, 0)
        return held.decode("utf-8", errors="replace")

    @property
    def end_of_log(self) -> str:
        """The last lines that are not empty, without colours."""
        log = _COLOUR.sub("", self.log)
        lines = [line for line in log.splitlines() if line.strip()]
        return "\n".join(lines[-NUM_LAST_LINES:])

    def stop(self) -> None:
        """End the command and everything it started; safe to repeat.

        This takes no longer than the supervisors' patience and a second.
        """
        with self._lock:
            if self._leash is not None:
                self._leash.close()
            if self._process is not None:
                _end(self._process)
            self._printed = self.log
            self._log.close()


def _end(process):
    process.terminate()
    try:
        process.wait(GRACE_SECONDS * NUM_GUARDS + 1)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
