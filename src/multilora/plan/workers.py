"""Where the settings of a search are played: here, on cores, or on Ray."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from multilora.arguments import integer, is_integer, shown
from multilora.plan.case import Case
from multilora.plan.jobs import Players, in_turn
from multilora.plan.on_cores import MAX_PROCESSES, Cores, num_cores
from multilora.plan.on_ray import (
    Address,
    OnRay,
    address_of,
    running_cluster,
)

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
        if self.address is not None:
            with OnRay(case, self.address) as players:
                yield players
        elif self.num > 1:
            with Cores(case, self.num) as players:
                yield players
        else:
            yield in_turn(case)


def workers_of(asked: int | str | Workers) -> Workers:
    """Return the Workers that somebody asked for.

    A number is of processes; 1 is this one. "auto" is Ray where it is
    installed and running_cluster finds one, else a process for each core.
    "ray://local" starts Ray on this machine for as long as it is needed,
    "ray://host:port" is a Ray client's address. Workers are returned as they
    are. Raises TypeError or ValueError for anything else.
    """
    if isinstance(asked, Workers):
        return asked
    if is_integer(asked):
        return Workers(integer("workers", asked, 1, MAX_PROCESSES))
    if not isinstance(asked, str):
        raise TypeError(f"workers is {shown(asked)}, but must be {ALLOWED}")
    if HERE.fullmatch(asked.strip()):
        return Workers(integer("workers", int(asked), 1, MAX_PROCESSES))
    if asked == "auto":
        return Workers(num_cores(), running_cluster())
    address = address_of(asked)
    if address is None:
        raise ValueError(f"workers is {shown(asked)}, but must be {ALLOWED}")
    return Workers(1, address)
