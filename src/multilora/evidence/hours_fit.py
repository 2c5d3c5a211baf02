"""Fit the terms of the step on real hours, and write what came of it.

`make fit HOURS=FILE.csv`. Needs scipy, and numba to be quick.
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from multilora.evidence.hours import part_of, play_hours, score
from multilora.evidence.hours_file import Hour, read_hours
from multilora.evidence.hours_play import (
    OVERLOADED_MS,
    Played,
    hour_workload,
    play_hour,
    slot_bytes,
)
from multilora.published import shared
from multilora.serving.terms import StepTerms
from multilora.units import GIB

# Where the search starts.
START = StepTerms(
    13.5, 0.0015, 0.065, 300, 0.09, 0.038, 0.29, 0.12, 130, 0.9, 0, 2.7, 55,
    5, 740,
)  # fmt: skip
KNEES = ("seq_knee", "adapter_knee")
FREE = tuple(name for name in StepTerms._fields if name != "adapter_share")
# How far a term may move, as a factor; and the step of a derivative.
LOWEST, HIGHEST, STEP = 0.08, 8.0, 0.03
# What a factor of e counts in each figure; of hours with and without end.
CALM = {"tpot_ms": 2.0, "p50_ms": 1.0, "p99_ms": 0.6}
OVERLOADED = {"tpot_ms": 0.7, "rate": 1.0}
# Of the hours that ask for more than this many requests a second only
# every 25th is played while fitting: they take longest and say the same.
MANY, EVERY = 25, 25
FULL = 0.7  # of the KV cache, for the fit of its size
COLUMNS = [
    "model", "max_loras", "num_adapters", "max_lora_rank", "asked_per_s",
    "part", "rate", "tpot_ms", "p50_ms", "p99_ms", "simulated_rate",
    "simulated_tpot_ms", "simulated_p50_ms", "simulated_p99_ms",
]  # fmt: skip


def fit_terms(
    hours: Sequence[Hour],
    start: StepTerms = START,
    max_nfev: int = 10,
    progress: Callable[[str], None] = print,
) -> StepTerms:
    """Return the StepTerms that make the simulated hours most like these.

    Least squares of logarithms, scipy's, with a loss that forgives
    outliers. All hours are of one model. Raises ValueError for none.
    """
    from scipy.optimize import least_squares

    hours = _thinned(hours)
    if not hours:
        raise ValueError("hours holds none of this model, so nothing to fit")
    workloads = [hour_workload(hour) for hour in hours]
    at_start = np.log([getattr(start, name) for name in FREE])

    def residuals(logs):
        terms = _with(start, np.exp(logs).tolist())
        rows = [
            _misses(hour, play_hour(hour, terms, workload=workload))
            for hour, workload in zip(hours, workloads, strict=True)
        ]
        found = np.concatenate(rows)
        progress(f"{len(hours)} hours, cost {np.square(found).sum():.4f}")
        return found

    found = least_squares(
        residuals,
        at_start,
        bounds=(at_start + np.log(LOWEST), at_start + np.log(HIGHEST)),
        diff_step=STEP,
        loss="soft_l1",
        f_scale=0.3,
        max_nfev=max_nfev,
    )
    return _with(start, [float(f"{v:.4g}") for v in np.exp(found.x)])


def _with(terms: StepTerms, values: list[float]) -> StepTerms:
    changes: dict[str, Any] = dict(zip(FREE, values, strict=True))
    changes |= {name: round(changes[name]) for name in KNEES}
    return terms._replace(**changes)


def _thinned(hours):
    busy = [h for h in hours if h.num_asked_per_s > MANY]
    calm = [h for h in hours if h.num_asked_per_s <= MANY]
    below = [h for h in busy if h.p99_ms < OVERLOADED_MS]
    above = [h for h in busy if h.p99_ms >= OVERLOADED_MS]
    return calm + below + above[::EVERY]


def _misses(hour: Hour, played: Played) -> np.ndarray:
    measured = hour._asdict() | {"rate": hour.num_done / hour.seconds}
    weights = CALM if hour.p99_ms < OVERLOADED_MS else OVERLOADED
    return np.array([
        weight * np.log(getattr(played, name) / measured[name])
        for name, weight in weights.items()
    ])  # fmt: skip


def kv_bytes(hours: Sequence[Hour]) -> int:
    """Return the bytes of a model's KV pool on an engine without slots.

    By least squares: a running request holds L tokens on the mean, so that
    num_running / kv_share = (pool - slots) / L. Hours that fill less than
    FULL of their pool are left out. Raises ValueError for fewer than three.
    """
    hours = [hour for hour in hours if hour.kv_share > FULL]
    if len(hours) < 3:
        raise ValueError(
            f"hours holds {len(hours)} that fill {FULL:.0%} of the KV cache, "
            "but the pool is fitted on at least 3"
        )
    slots = [slot_bytes(hour) for hour in hours]
    fitting = [hour.num_running / hour.kv_share for hour in hours]
    columns = np.column_stack([np.ones(len(hours)), np.negative(slots)])
    (at_none, per_byte), *_ = np.linalg.lstsq(columns, fitting, rcond=None)
    return round(at_none / per_byte)


def fit_file(path: str | Path, max_nfev: int = 10) -> dict[str, Any]:
    """Return what data/step_terms.json holds, fitted on a file of hours.

    The terms see only the part "fitted" of the hours.
    """
    import scipy

    hours = part_of(read_hours(path), "fitted")
    models = {}
    for model in sorted({hour.model for hour in hours}):
        mine = [hour for hour in hours if hour.model == model]
        pool = kv_bytes(mine)
        shared("step_terms")["models"].setdefault(model, {})["kv_bytes"] = pool
        print(f"{model}: {len(mine)} hours, KV pool {pool / GIB:.1f} GiB")
        terms = fit_terms(mine, max_nfev=max_nfev)
        models[model] = {"kv_bytes": pool, "terms": terms._asdict()}
    return {
        **{
            key: shared("step_terms")[key] for key in ("what", "source", "url")
        },
        "lengths": shared("step_terms")["lengths"],
        "fitted": {
            "num_hours": len(hours),
            "scipy": scipy.__version__,
            "date": date.today().isoformat(),
        },
        "models": models,
    }


def hour_rows(hours: Sequence[Hour], played: Sequence[Played]) -> list[Any]:
    """Return a row of figures an hour, in the order of COLUMNS."""
    validation = part_of(hours, "validation")
    return [
        [
            hour.model,
            hour.max_loras,
            hour.num_adapters,
            hour.max_lora_rank,
            float(f"{hour.num_asked_per_s:.4g}"),
            "validation" if hour in validation else "fitted",
            *_rounded(
                hour.num_done / hour.seconds,
                hour.tpot_ms,
                hour.p50_ms,
                hour.p99_ms,
                one.rate,
                one.tpot_ms,
                one.p50_ms,
                one.p99_ms,
            ),
        ]
        for hour, one in zip(hours, played, strict=True)
    ]


def _rounded(*values):
    return [float(f"{value:.4g}") for value in values]


def main(arguments: Sequence[str]) -> int:
    """Fit on a file and write both data files; return the exit status."""
    if len(arguments) != 1:
        print("usage: make fit HOURS=FILE.csv", file=sys.stderr)
        return 2
    _write("step_terms", fit_file(arguments[0]))
    _write("hours", played_file(arguments[0]))
    return 0


def played_file(path: str | Path) -> dict[str, Any]:
    """Return what data/hours.json holds: hours measured, and simulated."""
    hours = read_hours(path)
    played = play_hours(hours)
    scores = {
        part: score(
            chosen := part_of(hours, part),
            [one for hour, one in zip(hours, played, strict=True)
             if hour in chosen],
        )._asdict()
        for part in ("fitted", "validation")
    }  # fmt: skip
    return {
        **{key: shared("step_terms")[key] for key in ("source", "url")},
        "what": "hours of real engines, and what the simulator says of each: "
        "ms, requests a second",
        "scores": scores,
        "columns": COLUMNS,
        "rows": hour_rows(hours, played),
    }


def _write(name, content):
    path = Path(str(files("multilora"))) / f"data/{name}.json"
    path.write_text(as_text(content), encoding="utf-8")
    print(f"wrote {path.name}")


def as_text(content: dict[str, Any]) -> str:
    """Return JSON with one row a line."""
    rows = content.get("rows")
    text = json.dumps(content | ({"rows": []} if rows else {}), indent=1)
    if not rows:
        return text + "\n"
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    return text.replace('"rows": []', f'"rows": [\n  {lines}\n ]') + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
