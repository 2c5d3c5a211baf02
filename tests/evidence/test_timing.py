"""Ratios are of the same round, and the stored ones carry their stamp."""

import time

import pytest

from multilora.evidence.timing import overhead, paired_ratios
from multilora.published import machine, published


def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_twice_the_work_is_a_ratio_of_two():
    ratios = paired_ratios(
        {"one": lambda: spin(0.01), "two": lambda: spin(0.02)}, "one", 5
    )
    assert ratios["one"] == 1
    assert ratios["two"] == pytest.approx(2, rel=0.2)


def test_overhead_runs_every_design_on_a_small_layer():
    ratios = overhead(rows=4, num_adapters=2, rank=2, width=64, num_rounds=1)
    assert set(ratios) == {"base", "base again", "grouped", "mask",
                           "row by row"}  # fmt: skip
    assert all(ratio >= 0 for ratio in ratios.values())


def test_stored_ratios_name_machine_versions_and_date():
    data = published("overhead")
    assert set(data["machine"]) == set(machine())
    assert all(data["machine"].values())
    for row in data["rows"]:
        assert row["num_adapters"] <= row["rows"]
        assert row["base"] == 1
        # A repeat of the base is the noise; it must be small beside the rest.
        assert abs(row["base again"] - 1) < 0.05


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (({"a": print}, "b"), "baseline is 'b', allowed: 'a'"),
        (({"a": print}, "a", 0), "num_rounds is 0"),
        (({"a": 1}, "a"), "functions"),
        (({}, "a"), "functions"),
    ],
)
def test_bad_input_is_named(arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        paired_ratios(*arguments)
    with pytest.raises(ValueError, match="rank is 0"):
        overhead(4, 2, 0)
    with pytest.raises(ValueError, match="num_adapters is 9"):
        overhead(4, 9, 2)
