"""Jobs of the search on Ray: this machine's, or a cluster's."""

import os
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import multilora
from multilora.arguments import shown
from multilora.engine import ray_setup
from multilora.engine.ray_local import LocalRay
from multilora.plan.answer import Outcome
from multilora.plan.case import Case, check_case
from multilora.plan.jobs import Job, outcome
from multilora.plan.on_cores import num_cores
from multilora.plan.ray_address import (
    CLIENT_PORT,
    Address,
    address_at,
    address_of,
)

SECONDS = 5  # to the answer of a cluster
_DIRECT = re.compile(r"(\[[^\]]+\]|[^/:\s]+):(\d{1,5})")


def running_cluster() -> Address | None:
    """Return the cluster that Ray itself would join, if one answers.

    That of RAY_ADDRESS, else the one that `ray start` began on this machine.
    None without Ray.
    """
    if not ray_setup.has_ray():
        return None
    folder = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray")
    said = os.environ.get("RAY_ADDRESS", "").strip()
    try:
        said = said or (folder / "ray_current_cluster").read_text().strip()
    except OSError:
        return None
    match = _DIRECT.fullmatch(said)
    found = (
        address_at(match[1], match[2], is_client=False)
        if match
        else address_of(said)
    )
    if found is None or found.host is None or _silence(found):
        return None
    return found


class OnRay:
    """Players of one Case on Ray, for a `with` block.

    Results come in the order of the jobs. Ray plays the job of a worker that
    dies again in another one, and if it dies there too, this process does.
    A cluster gets this multilora sent, and needs its packages and the same
    versions of Python and Ray. What the block started ends with it; a Ray
    that this process uses already is used as it is. Raises ValueError where
    Ray is absent or does not answer, TypeError for no Case.
    """

    def __init__(self, case: Case, address: Address) -> None:
        self._case = check_case(case)
        self._address = address
        self._started: LocalRay | None = None

    def __enter__(self) -> Self:
        address = self._address
        ray_setup.require_ray("workers", address.told, "client")
        self._ray = ray_setup.imported()
        silence = address.host is not None and _silence(address)
        if silence:
            raise ValueError(_no_answer(address, silence))
        self._is_ours = not self._ray.is_initialized()
        if self._is_ours:
            self._connect()
        elif address.host is not None and address.is_client:
            raise ValueError(
                f"workers is {shown(address.told)}, but this process uses a "
                "Ray already: ray://local takes that one, ray.shutdown() ends "
                "it"
            )
        try:
            self._sent = self._ray.put(self._case)
            self._play = self._ray.remote(max_retries=2)(outcome)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_ours:
            self._ray.shutdown()
        if self._started is not None:
            self._started.stop()

    def __call__(self, jobs: Sequence[Job]) -> Iterator[Outcome | None]:
        """Yield what comes of each job, in their order."""
        places = [self._play.remote(self._sent, job) for job in jobs]
        for job, place in zip(jobs, places, strict=True):
            yield self._result(job, place)

    def _result(self, job, place):
        errors = self._ray.exceptions
        try:
            return self._ray.get(place)
        except (errors.WorkerCrashedError, errors.NodeDiedError,
                errors.OutOfMemoryError):  # fmt: skip
            return outcome(self._case, job)
        except (errors.RayError, ConnectionError, ImportError) as error:
            raise ValueError(
                f"workers is {shown(self._address.told)}, where a setting "
                f"could not be played: {_last_line(error)}"
            ) from error

    def _connect(self):
        try:
            if self._address.host is None:
                self._started = LocalRay(num_cores())
                self._started.start()
            else:
                self._ray.init(**_options(self._address))
        except BaseException as error:
            self.__exit__()
            if not isinstance(error, Exception):
                raise
            why = _last_line(error)  # of Ray, grpc, or what is there instead
            raise ValueError(_no_answer(self._address, why)) from error


def _options(address: Address) -> dict[str, Any]:
    """Return the arguments of ray.init for a cluster, which gets our code."""
    package = str(Path(multilora.__file__).parent)
    sent = {"runtime_env": {"py_modules": [package]}}
    return ray_setup.QUIET | sent | {"address": address.told}


def _silence(address: Address) -> str:
    """Say why nobody listens at an address, "" where somebody does."""
    host = (address.host or "").strip("[]")
    try:
        socket.create_connection((host, address.port), SECONDS).close()
    except OSError as error:
        return str(error.strerror or error)
    return ""


def _no_answer(address, why):
    return (
        f"workers is {shown(address.told)}, but no Ray cluster of this "
        f"version answers there: {why}. `ray start --head` begins one, whose "
        f"clients come in at port {CLIENT_PORT}; one with a token wants "
        "RAY_AUTH_MODE=token here"
    )


def _last_line(error: BaseException) -> str:
    """Return what an error says in the end: Ray tells a whole traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__
