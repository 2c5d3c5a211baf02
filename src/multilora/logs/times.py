"""Times of a log as seconds: epoch s, ms, us or ns, ISO 8601, or from 0."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice
from multilora.logs.tally import Tally

PER_S = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
WORDS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "ms": ("ms", "msec", "millis", "millisecond", "milliseconds"),
    "us": ("us", "usec", "micros", "microsecond", "microseconds"),
    "ns": ("ns", "nsec", "nano", "nanos", "nanosecond", "nanoseconds"),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds of the years 2000 and 2100: numbers between are no times from 0.
EPOCH_RANGE = 946_684_800, 4_102_444_800
MAX_DAYS = 400  # from the middle request; beyond it a clock was wrong
DAY_S = 86_400
RARE_S = 60  # between two requests; above it the unit must be told
SPARSE_S = 1
DENSE_S = 1e-3
FEW = 10


class Moments(NamedTuple):
    """Seconds of each row, which rows can be kept, and what was seen.

    is_epoch is false where times count from a start of their own, in unit.
    is_told is true where the unit is known.
    """

    seconds: np.ndarray
    is_kept: np.ndarray
    is_epoch: bool
    is_told: bool
    unit: str


def check_unit(time_unit: str | None) -> str | None:
    """Return a unit of PER_S, or None; else raise ValueError."""
    return None if time_unit is None else choice("time_unit", time_unit, PER_S)


def read_time(value: object) -> tuple[float, bool] | None:
    """Return (number, whether it was ISO 8601) of a field, None for neither.

    ISO becomes seconds since 1970, in UTC where it names no zone.
    """
    if type(value) is str:
        if value[4:5] == "-":
            return _iso(value)
        try:
            return None if "_" in value else (float(value), False)
        except ValueError:
            return _iso(value)
    if type(value) is float or type(value) is int:
        try:
            return float(value), False
        except OverflowError:
            return None
    return None


def unit_in(name: str) -> str | None:
    """Return the unit that a column's name ends with, None for none."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    last = words[-1].lower() if words else ""
    return next((unit for unit, of in WORDS.items() if last in of), None)


def moments(
    numbers: np.ndarray,
    is_iso: np.ndarray,
    lines: np.ndarray,
    tally: Tally,
    time_unit: str | None,
    unit_from_zero: str | None,
) -> Moments:
    """Return the Moments of the numbers of read_time, one a row.

    time_unit is the user's; without it epoch times are known by their size,
    and unit_from_zero is that of others. What cannot be is counted in tally,
    with its line.
    """
    is_kept = np.isfinite(numbers)
    _count(tally, "a time that is not finite", lines[~is_kept])
    is_negative = is_kept & ~is_iso & (numbers < 0)
    _count(tally, "a negative time", lines[is_negative])
    is_kept &= ~is_negative
    seconds, is_epoch = _epochs(np.where(is_kept, numbers, 0.0))
    is_epoch |= is_iso
    seconds[is_iso] = numbers[is_iso]
    of_epoch = bool(is_epoch[is_kept].mean() >= 0.5) if is_kept.any() else True
    unit = time_unit or (None if of_epoch else unit_from_zero or "s")
    if unit:
        seconds = np.where(is_iso, numbers, numbers / PER_S[unit])
        seconds[~is_kept] = 0
    if is_kept.any():
        middle = np.median(seconds[is_kept])
        if time_unit:
            of_epoch = bool(middle >= EPOCH_RANGE[0])
        is_far = is_kept & (np.abs(seconds - middle) > MAX_DAYS * DAY_S)
        _count(tally, f"a time over {MAX_DAYS} days from most", lines[is_far])
        is_kept &= ~is_far
    is_told = of_epoch or time_unit is not None or unit_from_zero is not None
    return Moments(seconds, is_kept, of_epoch, is_told, unit or "s")


def unit_notes(times_s: np.ndarray, column: str, seen: Moments) -> list[str]:
    """Return what is odd about the rate of sorted times, and their unit.

    Raises ValueError where nobody told the unit and, read as seconds, there
    is less than a request a minute: milliseconds are likelier.
    """
    num = len(times_s)
    span = float(times_s[-1] - times_s[0])
    if num < FEW:
        return []
    if span == 0:
        return [f"All requests have the same time in column {column!r}."]
    gap = span / (num - 1)
    if gap < DENSE_S:
        return [
            f"In column {column!r} {1 / gap:,.0f} requests come a second, "
            "more than an engine serves. If its times are no seconds, give "
            "time_unit (--time-unit)."
        ]
    if not seen.is_epoch and seen.is_told and seen.unit != "s":
        return [f"Times count from 0 in {seen.unit} in column {column!r}."]
    if seen.is_told or gap <= SPARSE_S:
        return []
    what = (
        f"column {column!r} does not say its unit, and in seconds there is "
        f"one request every {gap:,.0f} s for {span / DAY_S:,.1f} days"
    )
    if gap > RARE_S:
        raise ValueError(
            "time_unit must be given (--time-unit), one of "
            f"{', '.join(PER_S)}: {what}"
        )
    return [
        f"Times are read as seconds: {what}. If it is another unit, give "
        "time_unit (--time-unit)."
    ]


def iso_text(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso(text):
    text = text.strip().removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - EPOCH).total_seconds(), True
    except (ValueError, OverflowError):
        return None


def _epochs(numbers):
    """Return seconds since 1970 by the size of each number, and whether."""
    seconds = numbers.copy()
    is_epoch = np.zeros(len(numbers), dtype=bool)
    for per_s in PER_S.values():
        scaled = numbers / per_s
        fits = (scaled >= EPOCH_RANGE[0]) & (scaled < EPOCH_RANGE[1])
        seconds[fits] = scaled[fits]
        is_epoch |= fits
    return seconds, is_epoch


def _count(tally, reason, lines):
    if len(lines):
        tally.add(reason, int(lines.min()), len(lines))
