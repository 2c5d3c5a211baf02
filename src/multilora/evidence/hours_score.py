"""How far the simulator is from real hours: a part of them, and a score."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, integer, items
from multilora.evidence.hours_file import Hour
from multilora.evidence.hours_play import OVERLOADED_MS, Played, play_hour
from multilora.serving.terms import step_terms

PARTS = ("all", "fitted", "validation")
SEED, SHARE = 19, 3  # one run in three is kept for validation


class Score(NamedTuple):
    """How far off; a factor of 1.2 is 20 % too high or too low.

    tpot, p50 and p99 are median factors over the num_calm hours whose
    measured p99 is below 60 s, p99_within_2 the share of these within a
    factor of 2. calm_right and overloaded_right: shares of the hours that
    are called what they are. rate: the median factor of requests done.
    """

    num_hours: int
    num_calm: int
    tpot: float
    p50: float
    p99: float
    p99_within_2: float
    calm_right: float
    overloaded_right: float
    rate: float


def part_of(hours: Sequence[Hour], part: str) -> list[Hour]:
    """Return all hours, those of the fit, or those it has not seen.

    By whole run, one in three of each model and rank kept for validation,
    drawn from a fixed seed.
    """
    hours = items("hours", hours, Hour)
    kept = set()
    for stratum in sorted({(h.model, h.max_lora_rank) for h in hours}):
        places = [
            place
            for place, hour in enumerate(hours)
            if (hour.model, hour.max_lora_rank) == stratum
        ]
        order = np.random.default_rng(SEED).permutation(len(places))
        kept |= {places[i] for i in order[: len(places) // SHARE]}
    wanted = {"all": {True, False}, "fitted": {False}, "validation": {True}}
    part = choice("part", part, PARTS)
    return [h for i, h in enumerate(hours) if (i in kept) in wanted[part]]


def play_hours(
    hours: Iterable[Hour], engine: str = "auto", seed: int = 0
) -> list[Played]:
    """Return what the simulator says of each Hour, with the fitted terms."""
    seed = integer("seed", seed, minimum=0)
    return [
        play_hour(hour, step_terms(hour.model), engine, seed)
        for hour in items("hours", hours, Hour)
    ]


def score(hours: Sequence[Hour], played: Sequence[Played]) -> Score:
    """Return the Score of played hours; NaN where no hour is of that kind.

    Raises ValueError for lists of different lengths, or empty ones.
    """
    hours, played = (
        items("hours", hours, Hour),
        items("played", played, Played),
    )
    if not hours or len(hours) != len(played):
        raise ValueError(
            f"played holds {len(played)} hours, but must hold one for each "
            f"of {len(hours)} hours, at least one"
        )
    pairs = list(zip(hours, played, strict=True))
    calm = [(h, p) for h, p in pairs if h.p99_ms < OVERLOADED_MS]
    over = [(h, p) for h, p in pairs if h.p99_ms >= OVERLOADED_MS]
    p99 = [_off(p.p99_ms, h.p99_ms) for h, p in calm]
    return Score(
        len(hours),
        len(calm),
        _median(_off(p.tpot_ms, h.tpot_ms) for h, p in calm),
        _median(_off(p.p50_ms, h.p50_ms) for h, p in calm),
        _median(p99),
        _share(off < 2 for off in p99),
        _share(not p.is_overloaded for _, p in calm),
        _share(p.is_overloaded for _, p in over),
        _median(_off(p.rate, h.num_done / h.seconds) for h, p in pairs),
    )


def score_text(score: Score) -> str:
    """Return a Score as lines of text."""
    return "\n".join((
        f"{score.num_hours} hours, {score.num_calm} of them with a p99 TTFT "
        f"below {OVERLOADED_MS // 1000} s",
        "factor by which the simulator is off, median of those:",
        f"  TPOT      {score.tpot:.3f}",
        f"  p50 TTFT  {score.p50:.3f}",
        f"  p99 TTFT  {score.p99:.3f}, within 2: {score.p99_within_2:.1%}",
        f"called calm, of the calm:              {score.calm_right:.1%}",
        f"called overloaded, of the overloaded:  {score.overloaded_right:.1%}",
        f"requests done, median factor, of all:  {score.rate:.3f}",
    ))  # fmt: skip


def _off(ours, theirs):
    if not ours or not theirs:
        return np.inf
    return max(ours / theirs, theirs / ours)


def _median(values):
    values = list(values)
    return float(np.median(values)) if values else np.nan


def _share(truths):
    truths = list(truths)
    return float(np.mean(truths)) if truths else np.nan
