"""What we promised to reach beside others' code, and whether it was."""

import operator
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from multilora.arguments import shown

AT_MOST, AT_LEAST = "at most", "at least"
IS_MET = {AT_MOST: operator.le, AT_LEAST: operator.ge}


class Target(NamedTuple):
    """One number of a section's rows, and the bound that it must keep.

    only maps a column to the values at which the target stands; at names
    the columns that tell its rows apart.
    """

    what: str
    section: str
    column: str
    sense: str
    bound: float
    at: tuple[str, ...] = ()
    only: tuple[tuple[str, tuple], ...] = ()


_POINT = ("rows", "num_adapters")
TARGETS = (
    Target("delta, unsorted rows / PEFT's mixed batch",
           "grouped", "unsorted / PEFT", AT_MOST, 0.6, _POINT),
    Target("delta, unsorted rows / vLLM's torch ops",
           "grouped", "unsorted / vLLM bgmv", AT_MOST, 0.4, _POINT),
    Target("presorted rows, all / base matmul",
           "grouped", "presorted total", AT_MOST, 1.10, _POINT,
           (("rows", (64, 256)),)),
    Target("libcachesim, 15 slot counts / whole curve, numba",
           "curve", "numba", AT_LEAST, 10, ("num_requests",)),
    Target("libcachesim, 15 slot counts / whole curve, numpy",
           "curve", "plain", AT_LEAST, 1, ("num_requests",)),
    Target("libcachesim, its quickest one / whole curve, numba",
           "curve", "numba, one", AT_LEAST, 1, ("num_requests",)),
    Target("SimPy / simulator, numba",
           "simulator", "numba", AT_LEAST, 40, ("kind",)),
    Target("SimPy / simulator, Python",
           "simulator", "plain", AT_LEAST, 1, ("kind",)),
    Target("simulator, numba, million requests/s",
           "simulator", "numba, million/s", AT_LEAST, 1, ("kind",)),
    Target("a day under 200 settings, s, numba",
           "sweep", "seconds", AT_MOST, 60, ("num_requests",)),
    Target("8 engines, a million requests, s, numba",
           "fleet", "seconds", AT_MOST, 30, ("rule",)),
    Target("slider move, CPU ms, 95 of 100",
           "slider", "p95_ms", AT_MOST, 16, ("move",),
           (("move", ("curve of a new trace",)),)),
)  # fmt: skip


def verdicts(record: Mapping[str, Sequence[Mapping]]) -> list[dict]:
    """Return one dict a target and point: measured, bound, is_met.

    record maps each section to its rows, as `make bench` writes them.
    Raises TypeError for no mapping, ValueError for a record without a
    section, or without a row or a number that a target is about.
    """
    if not isinstance(record, Mapping):
        raise TypeError(
            f"record is {shown(record)}, but must map sections to rows"
        )
    return [
        verdict for target in TARGETS for verdict in _verdicts(target, record)
    ]


def _verdicts(target, record):
    rows = record.get(target.section, ())
    about = [
        row
        for row in rows
        if target.column in row
        and all(row.get(name) in allowed for name, allowed in target.only)
    ]
    if not about:
        raise ValueError(
            f"record has the sections {shown(sorted(record))}, but no "
            f"{target.column!r} for {target.what!r} under {target.section!r}"
        )
    for row in about:
        measured = row[target.column]
        yield {
            "target": target.what,
            "at": ", ".join(_said(name, row[name]) for name in target.at),
            "measured": measured,
            "sense": target.sense,
            "bound": target.bound,
            "is_met": IS_MET[target.sense](measured, target.bound),
        }


def _short(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _said(name, value):
    unit = {"num_requests": " requests", "rows": " rows"}.get(name, "")
    unit = " adapters" if name == "num_adapters" else unit
    return f"{value:,}{unit}" if isinstance(value, int) else f"{value}{unit}"


def verdict_lines(record: Mapping[str, Sequence[Mapping]]) -> list[str]:
    """Return the verdicts as lines of text: a target, below it its points.

    record and errors are those of verdicts.
    """
    lines = []
    for row in verdicts(record):
        heading = f"{row['target']}: {row['sense']} {row['bound']:g}"
        if heading not in lines:
            lines.append(heading)
        verdict = "met" if row["is_met"] else "MISSED"
        lines.append(
            f"    {row['at']:28} {_short(row['measured']):>9}  {verdict}"
        )
    return lines
