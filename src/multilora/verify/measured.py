"""What a live engine did with the planned traffic, beside what was planned."""

from typing import NamedTuple

import numpy as np

from multilora.arguments import shown
from multilora.plan.answer import Engine, Outcome, Slo, Tenant
from multilora.verify.planned import Planned
from multilora.verify.sent import Sent

ENOUGH = 100  # below it a p99 is next to the slowest request alone


class Times(NamedTuple):
    """Percentiles of some requests in ms; None where none was answered."""

    p50_ms: float | None
    p99_ms: float | None
    gap_ms: float | None


class TenantRow(NamedTuple):
    """A tenant, measured beside planned; meets_slo is of what was measured."""

    planned: Tenant
    num_requests: int
    num_failed: int
    times: Times
    meets_slo: bool


class Verdict(NamedTuple):
    """What was measured, of all requests and by tenant, worst p99 first.

    share is of the tenants that asked and meet the SLO. is_met is measured:
    no request failed, and share reaches the SLO's. was_met is the plan's,
    of this engine.
    """

    rows: tuple[TenantRow, ...]
    times: Times
    planned: Outcome
    num_requests: int
    num_failed: int
    share: float
    is_met: bool
    was_met: bool

    @property
    def is_agreed(self) -> bool:
        return self.is_met == self.was_met


def verdict(planned: Planned, sent: Sent, engine: Engine, slo: Slo) -> Verdict:
    """Return the Verdict on what was Sent to a plan's engine.

    Tenants of rank 0 are the base itself, which the SLO leaves out.
    """
    for name, value, kind in (
        ("planned", planned, Planned),
        ("sent", sent, Sent),
        ("engine", engine, Engine),
        ("slo", slo, Slo),
    ):
        if not isinstance(value, kind):
            raise TypeError(
                f"{name} is {shown(value)}, but must be a {kind.__name__}"
            )
    ids = planned.places
    rows = [
        _row(tenant, sent, ids == place, slo)
        for place, tenant in enumerate(planned.tenants)
        if (ids == place).any()
    ]
    rows.sort(key=lambda row: -(row.times.p99_ms or np.inf))
    counted = [row.meets_slo for row in rows if row.planned.rank]
    share = sum(counted) / len(counted) if counted else 1.0
    return Verdict(
        rows=tuple(rows),
        times=_times(sent, np.ones(len(ids), bool)),
        planned=engine.outcome,
        num_requests=len(ids),
        num_failed=sent.num_failed,
        share=share,
        is_met=share >= slo.share and not sent.num_failed,
        was_met=engine.outcome.share >= slo.share,
    )


def _row(tenant: Tenant, sent: Sent, is_theirs: np.ndarray, slo: Slo):
    times = _times(sent, is_theirs)
    num_failed = int(np.isnan(sent.ttft_ms[is_theirs]).sum())
    is_late = times.p99_ms is None or times.p99_ms > slo.ttft_p99_ms
    is_slow = (
        slo.itl_ms is not None
        and times.gap_ms is not None
        and times.gap_ms > slo.itl_ms
    )
    meets = not (num_failed or is_late or is_slow)
    return TenantRow(tenant, int(is_theirs.sum()), num_failed, times, meets)


def _times(sent: Sent, chosen: np.ndarray) -> Times:
    ttft, gaps = sent.ttft_ms[chosen], sent.gap_ms[chosen]
    return Times(_percentile(ttft, 50), _percentile(ttft, 99),
                 _percentile(gaps, 99))  # fmt: skip


def _percentile(values: np.ndarray, share: float) -> float | None:
    values = values[np.isfinite(values)]
    return float(np.percentile(values, share)) if len(values) else None
