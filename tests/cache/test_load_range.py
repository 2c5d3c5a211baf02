"""Ranges of load times hold the published times that they name."""

import pytest

from multilora.cache.load_range import load_places, load_range
from multilora.published import published


def test_each_place_has_a_range_and_a_source():
    for place in load_places():
        found = load_range(place)
        assert 0 < found.low_ms < found.high_ms
        assert found.what and found.source
        assert found.url.startswith("https://") == found.is_measured


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("local disk, read before", "disk, read before"),
        ("local disk, first read", "disk, first"),
    ],
)
def test_a_disks_range_is_that_of_its_rows(place, kind):
    rows = [r for r in published("load_times")["rows"] if r["kind"] == kind]
    found = load_range(place)
    assert found.low_ms == min(row["low_ms"] for row in rows)
    assert found.high_ms == max(row["high_ms"] for row in rows)


def test_a_pinned_copys_range_holds_every_published_copy():
    found = load_range("CPU memory, pinned")
    rows = published("load_times")["rows"]
    slot = [row for row in rows if row["kind"] == "slot"]
    assert found.high_ms == max(row["high_ms"] for row in slot)
    costs = published("step_costs")["costs"]
    assert found.low_ms == costs["slot_load_ms"]["value"]


def test_a_network_disk_lies_between_a_local_one_and_object_storage():
    found = load_range("network disk")
    assert not found.is_measured
    assert found.low_ms == load_range("local disk, first read").low_ms
    assert found.high_ms == load_range("object storage").high_ms
