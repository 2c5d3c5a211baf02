"""What came of a fleet's requests."""

from typing import NamedTuple

import numpy as np

from multilora.serving.cost import MAX_NS
from multilora.serving.run import ServingRun
from multilora.serving.workload import Workload

DONE, LOST, NOT_FOUND = 0, 1, 2
OUTCOMES = ("done", "lost", "not found")


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


class FleetRun(NamedTuple):
    """A workload and what a fleet made of it, an array a request.

    engine_of is the engine that was chosen last, -1 for none; num_tries how
    often one was chosen; outcome is DONE, LOST (refused too often, or cut
    off after the first token) or NOT_FOUND (an engine without the adapter).
    ttft_ns and latency_ns count from the arrival at the router, and are -1
    for a request that is not done.
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
        """Requests that reached each engine, tries of the same counted."""
        num = np.zeros(self.num_engines, dtype=np.int64)
        for life in self.lives:
            num[life.engine] += len(life.requests)
        return num

    @property
    def imbalance(self) -> float:
        """The most requests of an engine over the mean; 1 is even."""
        return float(self.num_sent.max() / self.num_sent.mean())

    @property
    def hit_rate(self) -> float:
        """The share of done requests whose adapter had a slot."""
        hits = np.zeros(len(self.outcome), dtype=bool)
        for life in self.lives:
            if life.run is not None:
                hits[life.requests] = life.run.is_hit
        return float(hits[self.is_done].mean())

    @property
    def num_homes(self) -> np.ndarray:
        """How many engines served each adapter."""
        ids = self.workload.adapter_ids
        is_counted = self.is_done & (ids >= 0)
        pairs = np.unique(
            np.stack([ids[is_counted], self.engine_of[is_counted]]), axis=1
        )
        return np.bincount(pairs[0], minlength=self.workload.num_adapters)

    def percentile_ms(self, share: float, tenant: int | None = None) -> float:
        """Return a percentile of the time to first token of who is done.

        share is 0 to 100, tenant an adapter id or None for all. NaN where
        nobody is done.
        """
        rows = self.is_done
        if tenant is not None:
            rows = rows & (self.workload.adapter_ids == tenant)
        times = self.ttft_ns[rows]
        return float(np.percentile(times, share) / 1e6) if len(times) else (
            float("nan")
        )  # fmt: skip

    def _sum(self, name: str) -> np.ndarray:
        sums = np.zeros(self.num_engines, dtype=np.int64)
        for life in self.lives:
            if life.run is not None:
                sums[life.engine] += getattr(life.run.trace.totals, name)
        return sums


def life_of(
    engine: int, born_ns: int, dies_ns: int, requests: list[int],
    run: ServingRun | None,
) -> Life:  # fmt: skip
    """Return a Life of what a member noted."""
    return Life(
        engine,
        born_ns,
        None if dies_ns == MAX_NS else dies_ns,
        np.array(requests, dtype=np.int64),
        run,
    )
