"""Several vLLM servers of one base, with the same tenants on each."""

import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Self

from multilora.arguments import integer, items, shown
from multilora.engine.loopback import ServerError
from multilora.engine.server import Server

MAX_REPLICAS = 64


class Replicas:
    """Servers that start together and stop together, for a `with` block.

    servers holds num_replicas of multilora.engine.server.Server. cores
    gives each the number of its own core: two servers on one core take
    turns. ports gives each its port, or None takes free ones; a router that
    hashes addresses sends a tenant to the same port after each start.
    options are Server's other arguments, the same for each.
    Raises what Server raises; of a failing start no process remains.
    """

    def __init__(
        self,
        model: str | Path,
        adapters: Mapping[str, str | Path] | None = None,
        num_replicas: int = 2,
        cores: Sequence[int] | None = None,
        ports: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        num = integer("num_replicas", num_replicas, 1, MAX_REPLICAS)
        self.servers = [
            Server(model, adapters, port=port, core=core, **options)
            for port, core in zip(
                _one_each("ports", ports, num),
                _one_each("cores", cores, num),
                strict=True,
            )
        ]

    @property
    def sites(self) -> list[str]:
        """The address of each server, as Router wants it."""
        return [server.site for server in self.servers]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all servers side by side and wait until each is healthy."""
        try:
            self._start_together()
        except BaseException:
            self.stop()  # one may have started after the others were stopped
            raise

    def stop(self) -> None:
        """Stop every server and all that it started; safe to repeat."""
        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(Server.stop, self.servers))

    def load(self, name: str, folder: str | Path, check: bool = True) -> None:
        """Add a tenant on every server, or on none.

        Each server's /v1/models must list it then. Where one fails, the
        others forget the tenant again, and ServerError says which one
        failed and who may list the tenant still. check as in Server.load,
        whose AdapterError comes before any server is asked.
        """
        asked = []
        for server in self.servers:
            asked.append(server)
            try:
                server.load(name, folder, check and len(asked) == 1)
                self._require_listed(server, name)
            except ServerError as error:
                if error.status is not None:
                    asked.pop()  # it refused: what it lists was there before
                raise self._taken_back(name, server, asked, error) from None

    def unload(self, name: str) -> None:
        """Take a tenant's name away on every server.

        All of them are asked; then ServerError names those that failed.
        """
        failed = []
        for server in self.servers:
            try:
                server.unload(name)
            except ServerError as error:
                failed.append(f"{self._place(server)} says: {error}")
        if failed:
            raise ServerError(f"{name} was not unloaded: {'; '.join(failed)}")

    def _start_together(self):
        with ThreadPoolExecutor(len(self.servers)) as pool:
            try:
                starts = [pool.submit(one.start) for one in self.servers]
                for start in as_completed(starts):
                    start.result()
            except BaseException:
                self.stop()  # or leaving the pool waits for their health
                raise

    def _require_listed(self, server, name):
        if name not in server.model_names():
            raise ServerError("it took the adapter, but does not list it")

    def _taken_back(self, name, failing, asked, error):
        """Unload a tenant where it may be new; return what to raise."""
        for server in asked:
            with contextlib.suppress(ServerError):
                server.unload(name)
        left = ", ".join(
            self._place(one) for one in self.servers if _may_list(one, name)
        )
        where = f"it may be listed by {left}" if left else "no server lists it"
        return ServerError(
            f"{name} was not loaded: {self._place(failing)} says: {error}; "
            f"{where}",
            error.status,
        )

    def _place(self, server):
        number = self.servers.index(server) + 1
        return f"server {number} of {len(self.servers)} ({server.site})"


def _one_each(name, numbers, num):
    """Return a number for each of num servers; None is None for each."""
    if numbers is None:
        return [None] * num
    numbers = items(name, numbers, int)
    if len(numbers) != num or len(set(numbers)) != num:
        raise ValueError(
            f"{name} is {shown(numbers)}, but must hold a number of its own "
            f"for each of num_replicas = {num}"
        )
    return numbers


def _may_list(server, name):
    try:
        return name in server.model_names()
    except ServerError:
        return server.is_running()
