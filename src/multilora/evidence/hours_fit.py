"""Fit the terms of the step on real hours, and write what came of it.

`make fit HOURS=FILE.csv`. Takes some minutes with numba, hours without.
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from multilora.arguments import items
from multilora.evidence.hours_file import Hour, read_hours
from multilora.evidence.hours_play import (
    OVERLOADED_MS,
    Played,
    hour_workload,
    play_hour,
    slot_bytes,
)
from multilora.evidence.hours_score import part_of, play_hours, score
from multilora.published import forget, shared
from multilora.serving.terms import StepTerms, fitted_models, step_terms
from multilora.units import GIB

# Where the search starts for a model without terms; else at its terms.
START = StepTerms(
    13.5, 0.0015, 0.06, 280, 0.09, 0.04, 0.28, 0.12, 100, 1.0, 0, 2.8, 60, 5,
    720,
)  # fmt: skip
KNEES = ("seq_knee", "adapter_knee")
FREE = tuple(name for name in StepTerms._fields if name != "adapter_share")
# One term after another is tried so much larger and smaller, twice each.
FACTORS, NUM_SWEEPS = (1.12, 1.06, 1.03), 2
# What a factor of e counts in each figure; of hours with and without end.
CALM = {"tpot_ms": 2.0, "p50_ms": 1.0, "p99_ms": 0.6}
OVERLOADED = {"tpot_ms": 0.7, "rate": 1.0}
# Of overloaded hours that ask for more than MANY requests a second every
# second one is fitted, its first PART_S seconds: they take longest to play.
# Those with more than SPREAD adapters a slot are left out: an hour is too
# short for them, the first tenants keep the slots.
MANY, EVERY, PART_S, SPREAD = 25, 2, 1200, 4
LARGE, TOO_LITTLE = 0.3, 1e-4  # of a miss, and of what a step gains
FULL = 0.7  # of the KV cache, for the fit of its size
COLUMNS = [
    "model", "max_loras", "num_adapters", "max_lora_rank", "asked_per_s",
    "part", "rate", "tpot_ms", "p50_ms", "p99_ms", "simulated_rate",
    "simulated_tpot_ms", "simulated_p50_ms", "simulated_p99_ms",
]  # fmt: skip


def fit_terms(
    hours: Sequence[Hour],
    start: StepTerms = START,
    pool_bytes: int | None = None,
    progress: Callable[[str], object] = print,
) -> StepTerms:
    """Return the StepTerms that make the simulated hours most like these.

    The least loss that a search along one term after another finds, from
    start on; pool_bytes as in hour_limits. A p99 jumps where one request
    more is late, so that a method with derivatives gets stuck. All hours are
    of one model. Raises ValueError for none.
    """
    hours = _thinned(items("hours", hours, Hour))
    if not hours:
        raise ValueError("hours holds none of this model, so nothing to fit")
    workloads = [hour_workload(hour) for hour in hours]

    def loss(terms: StepTerms) -> float:
        return sum(
            _loss(
                hour, play_hour(hour, terms, "auto", 0, workload, pool_bytes)
            )
            for hour, workload in zip(hours, workloads, strict=True)
        )

    best, least = start, loss(start)
    for factor in FACTORS:
        for _ in range(NUM_SWEEPS):
            before = least
            for name in FREE:
                best, least = _nearby(best, least, name, factor, loss)
            progress(f"{len(hours)} hours, steps of {factor}: {least:.4f}")
            if least == before:
                break
    return best


def _nearby(best, least, name, factor, loss):
    """Return the better of a term as it is, larger and smaller."""
    for changed in (factor, 1 / factor):
        value = getattr(best, name) * changed
        value = round(value) if name in KNEES else float(f"{value:.4g}")
        other = best._replace(**{name: value})
        found = loss(other)
        if found < least - TOO_LITTLE:
            return other, found
    return best, least


def _thinned(hours: list[Hour]) -> list[Hour]:
    long = [
        hour
        for hour in hours
        if hour.num_asked_per_s > MANY and hour.p99_ms >= OVERLOADED_MS
    ]
    fair = [h for h in long if h.num_adapters <= SPREAD * h.max_loras]
    return [hour for hour in hours if hour not in long] + [
        hour._replace(
            seconds=float(PART_S),
            num_done=round(hour.num_done * PART_S / hour.seconds),
        )
        for hour in fair[::EVERY]
    ]


def _loss(hour: Hour, played: Played) -> float:
    """Return how far off an hour is: squares, of large misses the size."""
    measured = hour._asdict() | {"rate": hour.num_done / hour.seconds}
    weights = CALM if hour.p99_ms < OVERLOADED_MS else OVERLOADED
    misses = np.array([
        weight * np.log(getattr(played, name) / measured[name])
        for name, weight in weights.items()
    ])  # fmt: skip
    soft = np.sqrt(1 + (misses / LARGE) ** 2) - 1
    return float(2 * LARGE**2 * soft.sum())


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
    slots = [slot_bytes(h.model, h.max_loras, h.max_lora_rank) for h in hours]
    fitting = [hour.num_running / hour.kv_share for hour in hours]
    columns = np.column_stack([np.ones(len(hours)), np.negative(slots)])
    (at_none, per_byte), *_ = np.linalg.lstsq(columns, fitting, rcond=None)
    return round(at_none / per_byte)


def fit_file(path: str | Path) -> dict[str, Any]:
    """Return what data/step_terms.json holds, fitted on a file of hours.

    The terms see only the part "fitted" of the hours.
    """
    hours = part_of(read_hours(path), "fitted")
    models = {}
    for model in sorted({hour.model for hour in hours}):
        mine = [hour for hour in hours if hour.model == model]
        pool = kv_bytes(mine)
        print(f"{model}: {len(mine)} hours, KV pool {pool / GIB:.1f} GiB")
        start = step_terms(model) if model in fitted_models() else START
        terms = fit_terms(mine, start, pool)
        models[model] = {"kv_bytes": pool, "terms": terms._asdict()}
    return {
        **{
            key: shared("step_terms")[key] for key in ("what", "source", "url")
        },
        "lengths": shared("step_terms")["lengths"],
        "fitted": {
            "num_hours": len(hours),
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
    try:
        _write("step_terms", fit_file(arguments[0]))
        _write("hours", played_file(arguments[0]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
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
    forget()
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
