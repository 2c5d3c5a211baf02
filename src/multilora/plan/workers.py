"""Where the settings of a search are played: here, on cores, or on Ray."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from multilora.arguments import integer, is_integer, shown
from multilora.plan.case import Case
from multilora.plan.jobs import MAX_PROCESSES, Players, in_turn
from multilora.plan.ray_address import Address, address_of

ALLOWED = (
    f"a number of processes from 1 to {MAX_PROCESSES}, auto, ray://local, or "
    "a cluster's ray://host:port"
)
HERE = re.compile(r"[+-]?\d+")


class Workers(NamedTuple):
    """Who plays: num processes of this machine, or Ray at an address."""

    num: int
    address: Address | None = None

    @property
    def told(self) -> str:
        """Say who plays, for a line of progress; "" for this process."""
        if self.address is not None:
            return f" on Ray, {self.address.told}"
        return f" in {self.num} processes" if self.num > 1 else ""

    @contextmanager
    def players(self, case: Case) -> Iterator[Players]:
        """Give Players of a Case; what they started ends with the block."""
        # Processes and Ray are imported by those who ask for them: a browser
        # has neither.
        if self.address is not None:
            from multilora.plan.on_ray import OnRay

            with OnRay(case, self.address) as players:
                yield players
        elif self.num > 1:
            from multilora.plan.on_cores import Cores

            with Cores(case, self.num) as players:
                yield players
        else:
            yield in_turn(case)


def workers_of(workers: int | str | Workers) -> Workers:
    """Return the Workers that somebody asked for.

    A number is of processes; 1 is this one. "auto" is Ray where it is
    installed and running_cluster finds one, else a process for each core.
    "ray://local" starts Ray on this machine for as long as it is needed,
    "ray://host:port" is a Ray client's address. Workers are returned as they
    are. Raises TypeError or ValueError for anything else.
    """
    if isinstance(workers, Workers):
        return workers
    if is_integer(workers):
        return Workers(integer("workers", workers, 1, MAX_PROCESSES))
    if not isinstance(workers, str):
        raise TypeError(f"workers is {shown(workers)}, but must be {ALLOWED}")
    if HERE.fullmatch(workers.strip()):
        return Workers(integer("workers", int(workers), 1, MAX_PROCESSES))
    if workers == "auto":
        from multilora.plan.on_cores import num_cores
        from multilora.plan.on_ray import running_cluster

        return Workers(num_cores(), running_cluster())
    address = address_of(workers)
    if address is None:
        raise ValueError(f"workers is {shown(workers)}, but must be {ALLOWED}")
    return Workers(1, address)
