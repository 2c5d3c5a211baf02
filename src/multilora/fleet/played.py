"""What came of a fleet's requests."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer, shown
from multilora.fleet.members import Member
from multilora.matmul.operands import BASE
from multilora.serving.cost import MAX_NS, NS_PER_MS
from multilora.serving.run import ServingRun
from multilora.serving.workload import Workload

DONE, LOST, NOT_FOUND = 0, 1, 2


class Life(NamedTuple):
    """An engine from its start to its death, and the run of what it served.

    requests are places in the fleet's workload, in the order in which they
    were sent; dies_ns is None for an engine that lives on, run None for one
    that got nothing.
    """

    engine: int
    born_ns: int
    dies_ns: int | None
    requests: np.ndarray
    run: ServingRun | None

    @property
    def is_done(self) -> np.ndarray:
        """True for those of requests that had all their tokens in time."""
        if self.run is None:
            return np.zeros(0, dtype=bool)
        finished = self.run.trace.finished
        end = MAX_NS if self.dies_ns is None else self.dies_ns
        return (finished > 0) & (finished <= end)


class FleetRun(NamedTuple):
    """A workload and what a fleet made of it, an array a request.

    engine_of is the engine that was chosen last, -1 for none; num_tries how
    often the router asked its rule for one; outcome is DONE, LOST (refused
    too often, cut off after the first token, or no engine alive) or
    NOT_FOUND (an engine without the adapter, or no living one with it where
    the rule asks for one). ttft_ns and latency_ns count from the arrival at
    the router, and are -1 for a request that is not done.
    """

    workload: Workload
    rule: str
    num_engines: int
    lives: tuple[Life, ...]
    engine_of: np.ndarray
    num_tries: np.ndarray
    outcome: np.ndarray
    ttft_ns: np.ndarray
    latency_ns: np.ndarray

    @property
    def is_done(self) -> np.ndarray:
        """True for a request that got all its tokens."""
        return self.outcome == DONE

    @property
    def is_lost(self) -> np.ndarray:
        """True for a request that got an error or was cut off."""
        return self.outcome == LOST

    @property
    def is_not_found(self) -> np.ndarray:
        """True for a request whose engine did not have the adapter."""
        return self.outcome == NOT_FOUND

    @property
    def num_slot_loads(self) -> np.ndarray:
        """Copies into slots, one number an engine."""
        return self._sum("num_slot_loads")

    @property
    def num_disk_loads(self) -> np.ndarray:
        """Reads of the disk, one number an engine."""
        return self._sum("num_disk_loads")

    @property
    def busy_ns(self) -> np.ndarray:
        """How long each engine computed or loaded."""
        return self._sum("busy_ns")

    @property
    def num_sent(self) -> np.ndarray:
        """Requests that each engine took in; a retry counts once more."""
        num = np.zeros(self.num_engines, dtype=np.int64)
        for life in self.lives:
            num[life.engine] += len(life.requests)
        return num

    @property
    def imbalance(self) -> float:
        """The most requests of an engine over the mean; 1 is even.

        NaN where no engine took one in.
        """
        num = self.num_sent
        return float(num.max() / num.mean()) if num.any() else np.nan

    @property
    def hit_rate(self) -> float:
        """The share of done requests whose adapter had a slot.

        The base counts as a hit. NaN where nobody is done.
        """
        num_hits = sum(
            int(np.count_nonzero(life.run.is_hit & life.is_done))
            for life in self.lives
            if life.run is not None
        )
        num_done = int(np.count_nonzero(self.is_done))
        return num_hits / num_done if num_done else np.nan

    @property
    def num_homes(self) -> np.ndarray:
        """How many engines served each adapter."""
        ids = self.workload.adapter_ids
        is_counted = self.is_done & (ids != BASE)
        pairs = np.unique(
            ids[is_counted] * self.num_engines + self.engine_of[is_counted]
        )
        homes = (pairs // self.num_engines).astype(np.intp)
        return np.bincount(homes, minlength=self.workload.num_adapters)

    def percentile_ms(self, share: float, tenant: int | None = None) -> float:
        """Return a percentile of the time to first token of who is done.

        share is 0 to 100, tenant an adapter id, -1 for the base, or None for
        all. NaN where nobody is done. Raises ValueError for another share or
        a tenant that is not there.
        """
        share = finite_number("share", share, 0, 100)
        rows = self.is_done
        if tenant is not None:
            last = self.workload.num_adapters - 1
            tenant = integer("tenant", tenant, BASE, last)
            rows = rows & (self.workload.adapter_ids == tenant)
        times = self.ttft_ns[rows]
        if not len(times):
            return np.nan
        return float(np.percentile(times, share)) / NS_PER_MS

    def _sum(self, name: str) -> np.ndarray:
        sums = np.zeros(self.num_engines, dtype=np.int64)
        for life in self.lives:
            if life.run is not None:
                sums[life.engine] += getattr(life.run.trace.totals, name)
        return sums


def check_run(run: object) -> FleetRun:
    """Return run, or raise TypeError for what serve_fleet did not return."""
    if not isinstance(run, FleetRun):
        raise TypeError(f"run is {shown(run)}, but must be a FleetRun")
    return run


def life_of(born_ns: int, member: Member) -> Life:
    """Return the Life of a member that is dead, or gets nothing more."""
    return Life(
        member.number,
        born_ns,
        None if member.is_alive else member.dies_ns,
        np.array(member.requests, dtype=np.int64),
        member.run(),
    )
