"""What a calibrated engine will do with a workload, as an interval."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilora.arguments import items
from multilora.serving.calibration import Calibration, check_calibration
from multilora.serving.cost import NS_PER_MS
from multilora.serving.limits import Limits
from multilora.serving.run import ServingRun, serve
from multilora.serving.workload import Workload

SATURATED = 0.95  # of the time busy; beyond it the queue has no steady length


class Interval(NamedTuple):
    """Times in ms: with a quicker engine, as calibrated, with a slower one."""

    low: float
    middle: float
    high: float


class Prediction(NamedTuple):
    """TTFT of a workload, and how far to trust it.

    p50_ms and p99_ms are None where the engine is saturated. busy is the
    share of the time that it computes or loads, as calibrated. is_steady is
    False where the probes before and after differed by more than 10 %.
    num_slot_loads and num_disk_loads are as calibrated.
    """

    p50_ms: Interval | None
    p99_ms: Interval | None
    busy: float
    is_steady: bool
    num_slot_loads: int
    num_disk_loads: int

    @property
    def is_saturated(self) -> bool:
        return self.busy > SATURATED

    def __str__(self) -> str:
        if self.p50_ms is None or self.p99_ms is None:
            return f"saturated: {self.busy:.0%} busy, the queue only grows"
        parts = [
            f"{name} {ms.middle:,.0f} ms ({ms.low:,.0f} to {ms.high:,.0f})"
            for name, ms in (("p50", self.p50_ms), ("p99", self.p99_ms))
        ]
        parts.append(f"{self.busy:.0%} busy")
        if not self.is_steady:
            parts.append(
                "not steady: the machine's speed changed by over 10 %"
            )
        return ", ".join(parts)


def predict(
    calibration: Calibration,
    workload: Workload,
    limits: Limits | None = None,
    used_before: Iterable[int] = (),
    engine: str = "auto",
    seed: int = 0,
) -> Prediction:
    """Return the Prediction of a Workload on a calibrated engine.

    limits None are those of the calibration. used_before, engine and seed
    are serve's: which adapters the tiers hold at the start, oldest use
    first. The ends of an interval are serve's with every cost divided by
    the drift, and multiplied with it. Raises ValueError as serve does.
    """
    calibration = check_calibration(calibration)
    limits = calibration.limits if limits is None else limits
    used = items("used_before", used_before, int | np.integer)
    drift = max(calibration.drift, 1 / calibration.drift)
    runs = [
        serve(
            workload,
            limits,
            calibration.cost.scaled(factor),
            engine,
            seed,
            used,
        )
        for factor in (1 / drift, 1, drift)
    ]
    middle = runs[1]
    busy = middle.utilisation["busy"]
    p50, p99 = (
        None if busy > SATURATED else _interval(runs, q) for q in (50, 99)
    )
    return Prediction(
        p50,
        p99,
        busy,
        calibration.is_steady,
        middle.trace.totals.num_slot_loads,
        middle.trace.totals.num_disk_loads,
    )


def _interval(runs: list[ServingRun], percent: float) -> Interval:
    """Return a percentile of each run's TTFT, in order of size."""
    times = [np.percentile(run.ttft_ns, percent) for run in runs]
    low, middle, high = (float(t) / NS_PER_MS for t in times)
    # More cost may shift a batch so that a percentile falls.
    return Interval(min(low, middle), middle, max(middle, high))
