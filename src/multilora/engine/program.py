"""A program that answers on a port of this machine: a server, a router."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Self

from multilora.arguments import finite_number
from multilora.engine import launch
from multilora.engine.loopback import HOST, ServerError, is_answering
from multilora.engine.processes import Supervised


class Program:
    """What starts, is waited for, and stops, for a `with` block.

    It ends with this process, however that ends, not with the thread that
    starts it. port None takes a free one.
    """

    what = "program"

    def __init__(self, port: int | None, seconds: float) -> None:
        self.port = (
            launch.free_port() if port is None else launch.checked_port(port)
        )
        self._seconds = finite_number("seconds", seconds, above=0)
        self._process: Supervised | None = None
        self._printed = ""
        self._lock = threading.Lock()

    @property
    def site(self) -> str:
        """The address without a path."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The address of the API, as the openai client wants it."""
        return f"{self.site}/v1"

    @property
    def log(self) -> str:
        """Everything that the program has printed so far, or did."""
        process = self._process
        return self._printed if process is None else process.log

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the program and wait until /health answers.

        Raises ServerError, with the last lines of its log, where it stops
        or is not healthy in time.
        """
        process = Supervised(self._command(), self._environment())
        try:
            self._take(process)
            process.start()
            self._wait_for_health(process)
        except BaseException:
            self._end(process)
            raise

    def stop(self) -> None:
        """Stop the program and all that it started; safe to repeat."""
        process = self._process
        if process is not None:
            self._end(process)

    def is_running(self) -> bool:
        """True from start() until it is stopped or ends by itself."""
        process = self._process
        return process is not None and process.is_running()

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _environment(self) -> Mapping[str, str]:
        raise NotImplementedError

    def _take(self, process):
        with self._lock:
            if self._process is not None:
                raise ServerError(
                    f"the {self.what} runs already, at {self.url}"
                )
            self._process = process

    def _end(self, process: Supervised):
        process.stop()
        with self._lock:
            if self._process is process:
                self._process, self._printed = None, process.log

    def _wait_for_health(self, process):
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            if not process.is_running():
                raise ServerError(
                    f"the {self.what} stopped:\n{process.end_of_log}"
                )
            if is_answering(f"{self.site}/health"):
                return
            time.sleep(0.25)
        raise ServerError(
            f"not healthy after {self._seconds:.0f} s:\n{process.end_of_log}"
        )
