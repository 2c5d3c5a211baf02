"""Times of logs: the unit is known, told, noted or asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.logs.columns import Columns
from multilora.logs.read import read_log
from multilora.logs.times import read_time, unit_in

T0 = 1_700_000_000
PER_S = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
ISO = "2023-11-14T22:13:20"


@pytest.fixture(scope="module")
def log_of(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs") / "log.csv"

    def read(times, name="time", **options):
        rows = "".join(f"{time},a,{n + 1},1\n" for n, time in enumerate(times))
        path.write_text(f"{name},model,prompt_tokens,output_tokens\n{rows}")
        return read_log(path, **options)

    return read


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_epoch_times_of_every_unit_and_iso_are_the_same(log_of, offsets):
    expected = np.sort(np.array(offsets) - min(offsets))
    start = np.datetime64(T0 + min(offsets), "s")
    for per_s in PER_S.values():
        log = log_of([(T0 + offset) * per_s for offset in offsets])
        assert log.times_s == pytest.approx(expected, abs=1e-6)
        assert log.start == f"{start}.000Z"
    texts = [f"{np.datetime64(T0 + offset, 's')}Z" for offset in offsets]
    log = log_of(texts)
    assert log.times_s.tolist() == expected.tolist()
    assert log.start == f"{start}.000Z"


@pytest.mark.parametrize("text", [
    ISO, f"{ISO}Z", f"{ISO}.0000000", "2023-11-14 22:13:20 UTC",
    "2023-11-15T00:13:20+02:00", str(T0), f"{T0}.0", f" {T0} ",
])  # fmt: skip
def test_one_moment_in_many_ways(text):
    assert read_time(text)[0] == T0


@pytest.mark.parametrize("value", [
    None, "", "x", "1_0", "12:30", "2023-13-01", True, [1], {}, 10**400,
    "2023-", "0x10", "٣-",
])  # fmt: skip
def test_what_is_no_time(value):
    assert read_time(value) is None


@pytest.mark.parametrize("unit", PER_S)
def test_times_from_0_in_a_unit_that_is_told(log_of, unit):
    times = [n * PER_S[unit] for n in range(20)]
    told = log_of(times, time_unit=unit)
    named = log_of(times, name=f"time_{unit}")
    for log in (told, named):
        assert log.times_s.tolist() == list(range(20))
        assert log.start is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [("timestampMs", "ms"), ("arrival (ns)", "ns"), ("seconds", "s"),
     ("start_time_unix_nano", "ns"), ("timestamp", None), ("items", None),
     ("TIMESTAMP", None), ("", None)],
)  # fmt: skip
def test_the_unit_that_a_name_says(name, unit):
    assert unit_in(name) == unit


def test_the_size_of_an_epoch_time_wins_over_the_name(log_of):
    log = log_of([T0, T0 + 1], name="timestamp_ms")
    assert log.seconds == 1


def test_milliseconds_without_a_unit_are_noticed(log_of):
    """A request in 0.2 s would be read as one in 200 s, a slow log as 5 s."""
    with pytest.raises(ValueError, match=r"--time-unit.*every 200 s"):
        log_of(range(0, 20_000, 200))
    (about_unit, *_) = log_of(range(0, 500, 5)).notes
    assert "every 5 s" in about_unit and "--time-unit" in about_unit
    assert log_of(range(0, 20_000, 200), time_unit="ms").seconds < 20
    assert log_of(range(0, 20_000, 200), time_unit="s").seconds > 9_000


def test_seconds_that_are_too_dense_are_noticed(log_of):
    notes = log_of(np.arange(100) / 1e5).notes
    assert any("requests come a second" in note for note in notes)
    notes = log_of([5] * 100).notes
    assert any("same time" in note for note in notes)


def test_wrong_clocks_are_counted_not_believed(log_of):
    times = [T0, 0, T0 + 1, T0 * 3, -T0, T0 + 2, "inf", T0 + 500 * 86_400]
    log = log_of(times)
    assert log.prompt_tokens.tolist() == [1, 3, 6]
    assert {r: s.num for r, s in log.skipped.items()} == {
        "a negative time": 1,
        "a time that is not finite": 1,
        "a time over 400 days from most": 3,
    }


def test_out_of_order_is_sorted_and_ties_stay_in_order(log_of):
    log = log_of([T0 + 2, T0, T0, T0 + 2, T0])
    assert log.prompt_tokens.tolist() == [2, 3, 5, 1, 4]
    assert any("goes back 2 times" in note for note in log.notes)
    assert any("60%" in n or "75%" in n for n in log.notes)


def test_a_long_silence_is_noted(log_of):
    log = log_of([T0, T0 + 1, T0 + 5 * 86_400])
    assert any("silent for 5.0 days" in note for note in log.notes)


def test_iso_and_epoch_in_one_column(log_of):
    log = log_of([T0, f"{ISO}Z", (T0 + 1) * 1000])
    assert log.times_s.tolist() == [0, 0, 1]


def test_iso_is_not_divided_by_a_unit_that_is_told(log_of):
    log = log_of([f"{ISO}Z", "2023-11-14T22:13:25Z"], time_unit="ms")
    assert log.seconds == 5


def test_columns_may_be_named_with_a_unit(log_of):
    log = log_of([0, 1500], "when_ms", columns=Columns("when_ms"))
    assert log.seconds == 1.5
