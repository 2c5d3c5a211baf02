"""The book against the engine: what the engine's tests found, as a table.

`make reconcile` runs those tests and writes the data; nothing is typed.
"""

import pkgutil
from typing import NamedTuple

from multilora.evidence.anchors import anchors
from multilora.published import published
from multilora.units import percent


class Finding(NamedTuple):
    """One claim that was held against vLLM's own classes.

    ours is a dotted name of this package, vllm the place of its counterpart.
    difference is the largest over all cases, allowed what the test permits
    (0: exact), unit theirs; measured holds counts of that run.
    """

    key: str
    claim: str
    ours: str
    vllm: str
    cases: int
    difference: float
    allowed: float
    unit: str
    measured: dict


def conditions() -> dict[str, str]:
    """Return {what: value} of the run: versions, machine, date."""
    return published("reconciliation")["conditions"]


def findings() -> list[Finding]:
    """Return the Findings of the last recorded run, in the order it made."""
    places = {item.key: item.place for item in anchors()}
    return [
        Finding(**row | {"vllm": places.get(row["vllm"], row["vllm"])})
        for row in published("reconciliation")["findings"]
    ]


def function_of(finding: Finding) -> object:
    """Return the object that a Finding's `ours` names."""
    return pkgutil.resolve_name(f"multilora.{finding.ours}")


def is_exact(finding: Finding) -> bool:
    """True if the test allows no difference at all."""
    return finding.allowed == 0


def said(finding: Finding) -> str:
    """Return the largest difference as the page prints it."""
    if is_exact(finding):
        return "none"
    unit = finding.unit
    if finding.allowed == 1:
        unit = unit.replace("share ", "")
    return f"{percent(finding.difference)} {unit}"
