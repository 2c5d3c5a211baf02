"""Ray Serve's multiplexing before vLLM: loads that were counted, and ours."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from multilora.cache.tiers import AdapterTiers
from multilora.published import shared


class RayRun(NamedTuple):
    """Requests by num_clients, who each wait for a reply before the next.

    num_loads counts the calls by which Ray Serve loads a model, on all
    replicas, num_slot_loads vLLM's own copies into slots; num_on_split is
    what slots in LRU order load on the same requests of each replica.
    num_homes is on how many replicas an adapter was served, on average.
    """

    setting: str
    max_models: int
    max_ongoing: int
    num_clients: int
    num_requests: int
    num_loads: int
    num_slot_loads: int
    num_on_split: int
    num_homes: float
    p50_ms: float
    p99_ms: float


def ray_runs(rows: Sequence[dict[str, Any]] | None = None) -> list[RayRun]:
    """Return runs in the order they were made: those of data/ray_run.json.

    rows are others of the same kind. The runs of one setting meet what the
    ones before left in the slots.
    """
    rows = shared("ray_run")["runs"] if rows is None else rows
    tiers: dict[tuple[str, int], AdapterTiers] = {}
    return [_run(row, tiers) for row in rows]


def _run(row: dict[str, Any], tiers: dict) -> RayRun:
    took = np.array(row["took_ms"])
    p50, p99 = np.percentile(took, [50, 99])
    pairs = set(zip(row["adapter"], row["replica"], strict=True))
    return RayRun(
        row["setting"],
        row["max_models"],
        row["max_ongoing"],
        row["num_clients"],
        len(took),
        row["num_loads"],
        row["num_slot_loads"],
        _loads_on_split(row, tiers),
        len(pairs) / len(set(row["adapter"])),
        float(p50),
        float(p99),
    )


def _loads_on_split(row, tiers) -> int:
    """Count loads in the order in which replies came back."""
    before = sum(one.misses for one in tiers.values())
    order = np.argsort(np.add(row["sent_ms"], row["took_ms"]), kind="stable")
    for place in order.tolist():
        key = row["setting"], row["replica"][place]
        if key not in tiers:
            tiers[key] = AdapterTiers(row["max_models"])
        tiers[key].activate_step([row["adapter"][place]])
    return sum(one.misses for one in tiers.values()) - before


def ray_lines() -> list[str]:
    """Return the runs as lines of text."""
    lines = [
        "setting        models  limit  clients  requests  loads  in slots  LRU"
        "  homes",
    ]
    for run in ray_runs():
        lines.append(
            f"{run.setting:14} {run.max_models:6} {run.max_ongoing:6} "
            f"{run.num_clients:8} {run.num_requests:9} {run.num_loads:6} "
            f"{run.num_slot_loads:9} {run.num_on_split:4} "
            f"{run.num_homes:6.1f}"
        )
    return lines
