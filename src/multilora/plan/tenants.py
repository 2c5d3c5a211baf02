"""What tenants meet on engines that were played, and who meets the SLO."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from multilora.matmul.operands import BASE
from multilora.plan.answer import Outcome, Slo, Tenant
from multilora.plan.case import Case
from multilora.plan.played import Served
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import late_by_cause, tenant_table
from multilora.serving.run import ServingRun


def outcome_of(engines: Sequence[Served], slo: Slo) -> Outcome:
    """Return the Outcome of all these engines together."""
    runs = [engine.run for engine in engines]
    ttft_ms = np.concatenate([run.ttft_ns for run in runs]) / NS_PER_MS
    p50, p99 = np.percentile(ttft_ms, [50, 99])
    totals = [run.trace.totals for run in runs]
    in_time = all_verdicts(engines, slo)
    return Outcome(
        p50_ms=float(p50),
        p99_ms=float(p99),
        gap_ms=_gap_ms(np.concatenate([run.tpot_ns for run in runs])),
        share=float(in_time.mean()),
        hit_rate=float(np.concatenate([run.is_hit for run in runs]).mean()),
        busy=min(1.0, max(run.utilisation["busy"] for run in runs)),
        num_slot_loads=sum(one.num_slot_loads for one in totals),
        num_disk_loads=sum(one.num_disk_loads for one in totals),
    )


def all_verdicts(engines: Sequence[Served], slo: Slo) -> np.ndarray:
    """Return whether each tenant with requests meets the SLO.

    A tenant of several engines is judged once, by all its requests.
    """
    asking = [_asking(engine) for engine in engines]
    on = Counter(tenant for row in asking for tenant in row)
    found = [
        verdicts(engine.run, slo)[np.array([on[t] == 1 for t in row], bool)]
        for engine, row in zip(engines, asking, strict=True)
    ]
    shared = [tenant for tenant, num in on.items() if num > 1]
    met = [_meets_on_all(engines, tenant, slo) for tenant in shared]
    return np.concatenate([*found, np.array(met, bool)])


def _asking(engine: Served) -> list[int]:
    """The tenants with requests on this engine, as verdicts has them."""
    ids = np.unique(engine.run.workload.adapter_ids)
    return [engine.tenants[place] for place in ids[ids != BASE]]


def _meets_on_all(engines: Sequence[Served], tenant: int, slo: Slo) -> bool:
    ttft_ns, tpot_ns = [], []
    for engine in engines:
        if tenant in engine.tenants:
            place = engine.tenants.index(tenant)
            is_theirs = engine.run.workload.adapter_ids == place
            ttft_ns.append(engine.run.ttft_ns[is_theirs])
            tpot_ns.append(engine.run.tpot_ns[is_theirs])
    p99_ms = float(np.percentile(np.concatenate(ttft_ns), 99)) / NS_PER_MS
    if slo.itl_ms is None:
        return p99_ms <= slo.ttft_p99_ms
    gap = _gap_ms(np.concatenate(tpot_ns))
    return p99_ms <= slo.ttft_p99_ms and (gap is None or gap <= slo.itl_ms)


def verdicts(run: ServingRun, slo: Slo) -> np.ndarray:
    """Return whether each tenant with requests meets the SLO, by its id."""
    table = tenant_table(run)
    return _in_time(run, slo, table)[table["tenant"] != BASE]


def _in_time(run: ServingRun, slo: Slo, table) -> np.ndarray:
    """Whether each row of tenant_table meets the SLO, the base too."""
    meets = table["p99_ms"] <= slo.ttft_p99_ms
    if slo.itl_ms is not None:
        gaps = [_gap_ms(run.tpot_ns[rows]) for rows in _rows(run)]
        meets &= [gap is None or gap <= slo.itl_ms for gap in gaps]
    return meets


def _rows(run: ServingRun) -> list[np.ndarray]:
    """The requests of each tenant, in tenant_table's order."""
    ids = run.workload.adapter_ids
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.diff(ids[order])) + 1
    return np.split(order, starts)


def _gap_ms(tpot_ns: np.ndarray) -> float | None:
    """Return the 99th percentile of requests' mean gaps between tokens."""
    gaps = tpot_ns[~np.isnan(tpot_ns)]
    return float(np.percentile(gaps, 99)) / NS_PER_MS if len(gaps) else None


def tenants_of(case: Case, engine: Served) -> tuple[Tenant, ...]:
    """Return each Tenant of an engine; one without requests meets any SLO."""
    run, slo = engine.run, case.slo
    table = tenant_table(run)
    ids = table["tenant"].tolist()
    met = _in_time(run, slo, table)
    late = late_by_cause(run, slo.ttft_p99_ms)
    seen = {
        place: _Seen(rows, float(p50), float(p99), bool(is_met))
        for place, rows, p50, p99, is_met in zip(
            ids, _rows(run), table["p50_ms"], table["p99_ms"], met, strict=True
        )
    }
    places = [BASE] * (BASE in seen) + list(range(len(engine.tenants)))
    return tuple(
        _tenant(case, engine, place, seen.get(place), late) for place in places
    )


class _Seen(NamedTuple):
    """A tenant's requests, and what tenant_table and the SLO say of them."""

    rows: np.ndarray
    p50_ms: float
    p99_ms: float
    meets_slo: bool


def _tenant(case, engine, place, seen, late) -> Tenant:
    named: dict[str, Any] = {"name": case.model, "rank": 0}
    if place != BASE:
        them, number = case.tenants, engine.tenants[place]
        named = {
            "name": them.names[number],
            "rank": them.ranks[number],
            "folder": them.folders[number],
        }
    if seen is None:
        return Tenant(
            **named, num_requests=0, requests_per_s=0, mean_prompt_tokens=0,
            mean_output_tokens=0, p50_ms=0, p99_ms=0, gap_ms=None,
            meets_slo=True,
        )  # fmt: skip
    run, load, rows = engine.run, engine.run.workload, seen.rows
    nums = {cause: int(is_late[rows].sum()) for cause, is_late in late.items()}
    worst = max(nums, key=lambda cause: nums[cause])
    return Tenant(
        **named,
        num_requests=len(rows),
        requests_per_s=len(rows) / max(case.seconds, 1.0),
        mean_prompt_tokens=float(load.prompt_tokens[rows].mean()),
        mean_output_tokens=float(load.output_tokens[rows].mean()),
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        gap_ms=_gap_ms(run.tpot_ns[rows]),
        meets_slo=seen.meets_slo,
        cause=worst if nums[worst] else None,
    )
