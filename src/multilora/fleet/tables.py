"""Tables of the chapter: what came of a fleet, a row a rule or a tenant."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from multilora.arguments import finite_number, integer, items, shown, text
from multilora.fleet.homes import Homes, engine_lists
from multilora.fleet.loads import engine_loads
from multilora.fleet.played import FleetRun, check_run
from multilora.fleet.runs import LATE_MS

MAX_TEXT = 31


class FleetRow(NamedTuple):
    """What came of a FleetRun; shares from 0 to 1, times in ms.

    num_homes is the mean number of engines that served a tenant; num_late
    the tenants whose p99 is above 500 ms.
    """

    name: str
    num_loads: int
    hit_rate: float
    imbalance: float
    num_homes: float
    p50_ms: float
    p99_ms: float
    num_late: int


def fleet_row(name: str, run: FleetRun) -> FleetRow:
    """Return the FleetRow of a run under a name; NaN where nobody is done."""
    name, run = text("name", name), check_run(run)
    homes = run.num_homes
    asked = homes > 0
    return FleetRow(
        name,
        int(run.num_slot_loads.sum()),
        run.hit_rate,
        run.imbalance,
        float(homes[asked].mean()) if asked.any() else np.nan,
        run.percentile_ms(50),
        run.percentile_ms(99),
        int((tenant_p99_ms(run)[asked] > LATE_MS).sum()),
    )


def fleet_lines(runs: Mapping[str, FleetRun]) -> list[str]:
    """Return {name: run} as lines of text, 78 letters at most."""
    if not isinstance(runs, Mapping):
        raise TypeError(f"runs is {shown(runs)}, but must be a dict of runs")
    head = (
        f"{'':{MAX_TEXT}}{'loads':>6}{'hits':>8}{'busiest':>9}{'homes':>7}"
        f"{'p50 ms':>8}{'p99 ms':>9}"
    )
    lines = [head]
    for row in (fleet_row(name, run) for name, run in runs.items()):
        lines.append(
            f"{row.name[:MAX_TEXT]:{MAX_TEXT}}{row.num_loads:6,}"
            f"{100 * row.hit_rate:6.0f} %{row.imbalance:9.2f}"
            f"{row.num_homes:7.1f}{row.p50_ms:8,.0f}{row.p99_ms:9,.0f}"
        )
    return lines


def tenant_p99_ms(run: FleetRun) -> np.ndarray:
    """Return each tenant's p99 of time to first token; NaN without one."""
    num = check_run(run).workload.num_adapters
    return np.array([run.percentile_ms(99, tenant) for tenant in range(num)])


class Outcomes(NamedTuple):
    """Requests by what became of them; num_again were sent more than once."""

    num_requests: int
    num_done: int
    num_again: int
    num_lost: int
    num_not_found: int


def outcomes(
    run: FleetRun, since_s: float = 0.0, tenant: int | None = None
) -> Outcomes:
    """Return the Outcomes of the requests that came at since_s or later.

    tenant is an adapter id, or None for all.
    """
    run = check_run(run)
    since = finite_number("since_s", since_s, 0)
    rows = run.workload.arrival_ns >= since * 1e9
    if tenant is not None:
        tenant = integer("tenant", tenant, 0)
        rows = rows & (run.workload.adapter_ids == tenant)
    return Outcomes(
        int(rows.sum()),
        int(run.is_done[rows].sum()),
        int((run.num_tries[rows] > 1).sum()),
        int(run.is_lost[rows].sum()),
        int(run.is_not_found[rows].sum()),
    )


def in_flight_by_second(run: FleetRun, seconds: Iterable[float]) -> np.ndarray:
    """Return requests in flight on each engine at these seconds.

    Of shape (engines, seconds), counted by the router: from the choice of an
    engine to the last token.
    """
    run = check_run(run)
    at = np.array([
        finite_number("seconds", one, 0) for one in items(
            "seconds", seconds, object)
    ]) * 1e9  # fmt: skip
    start = run.workload.arrival_ns
    end = start + np.maximum(run.latency_ns, 0)
    return np.array([
        np.searchsorted(np.sort(start[mine]), at, side="right")
        - np.searchsorted(np.sort(end[mine]), at, side="right")
        for mine in (run.engine_of == k for k in range(run.num_engines))
    ])  # fmt: skip


def ttft_by_second(
    run: FleetRun, seconds: Iterable[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the median and the longest TTFT of each stretch, in ms.

    A stretch lies between two of these rising seconds; its requests came in
    it, and the first engine that was tried served them. NaN where none did.
    Raises ValueError for fewer than two seconds, or where they do not rise.
    """
    at_s = check_run(run).workload.arrival_ns / 1e9
    edges = [finite_number("seconds", one, 0) for one in items(
        "seconds", seconds, object)]  # fmt: skip
    if len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise ValueError(
            f"seconds is {shown(edges)}, but must be two or more that rise"
        )
    at_once = run.is_done & (run.num_tries == 1)
    found = [
        run.ttft_ns[at_once & (at_s >= low) & (at_s < high)] / 1e6
        for low, high in pairwise(edges)
    ]
    median, longest = (
        np.array([of(times) if len(times) else np.nan for times in found])
        for of in (np.median, np.max)
    )
    return median, longest


class Placement(NamedTuple):
    """Homes of all tenants together, and the fullest engine.

    most_tenants is the most tenants of an engine, busiest its largest load,
    in the unit of the loads.
    """

    num_homes: int
    most_tenants: int
    busiest: float


def placement(
    homes: Homes, loads: npt.ArrayLike, num_engines: int
) -> Placement:
    """Return the Placement of homes; loads is one number a tenant."""
    lists = engine_lists(homes, num_engines)
    return Placement(
        sum(map(len, homes)),
        max(map(len, lists)),
        max(engine_loads(homes, loads, num_engines)),
    )


def requests_by_engine(run: FleetRun, tenant: int) -> np.ndarray:
    """Return how many requests of one tenant each engine served."""
    tenant = integer("tenant", tenant, 0)
    mine = check_run(run).is_done & (run.workload.adapter_ids == tenant)
    engines = run.engine_of[mine].astype(np.intp)
    return np.bincount(engines, minlength=run.num_engines)
