"""Does the plan's rule pick the right slots? On hours that were measured.

`python -m multilora.evidence.hours_ladders FILE.csv`, for any file in the
form of read_hours. A ladder is hours that differ in their slots only.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, items
from multilora.cache.hitrate import hit_rate_curve
from multilora.evidence.hours_file import Hour, read_hours
from multilora.evidence.hours_play import hour_limits, hour_workload
from multilora.plan.advice import best_place
from multilora.published import forget, shared
from multilora.serving.cost import NS_PER_MS
from multilora.serving.run import serve
from multilora.serving.terms import step_terms
from multilora.units import percent

GOOD = 1.2  # of a ladder's best p99
RECORD = "--record"
USAGE = "usage: python -m multilora.evidence.hours_ladders FILE.csv [--record]"
WANTED_HITS = 0.9  # the rule of before: the fewest slots that hit so often


class Ladder(NamedTuple):
    """Hours alike but for their slots, fewest first, with what we say.

    slots, measured_ms and simulated_ms (p99) and hits (the rate of an LRU
    cache) have one item an hour.
    """

    model: str
    max_lora_rank: int
    num_adapters: int
    asked_per_s: float
    slots: tuple[int, ...]
    measured_ms: tuple[float, ...]
    simulated_ms: tuple[float, ...]
    hits: tuple[float, ...]

    def chosen(self) -> int:
        """Return the place that best_place takes, the most slots first."""
        place = best_place(self.simulated_ms[::-1], [0.0] * len(self.slots))
        assert place is not None, "every hour of a ladder was played"
        return len(self.slots) - 1 - place

    def by_hits(self) -> int:
        """Return the place of the fewest slots that hit WANTED_HITS."""
        enough = [k for k, hits in enumerate(self.hits) if hits >= WANTED_HITS]
        return enough[0] if enough else len(self.hits) - 1

    def factor(self, place: int) -> float:
        """Return the measured p99 of a place over the ladder's best."""
        return self.measured_ms[place] / max(min(self.measured_ms), 1e-9)


class LadderScore(NamedTuple):
    """The shares of ladders in which a rule's pick is good, and its factor.

    good is within GOOD times the ladder's best measured p99; worst is the
    90th percentile of that factor.
    """

    num_ladders: int
    good: float
    worst: float


def ladders(hours: Sequence[Hour], engine: str = "auto") -> list[Ladder]:
    """Return the Ladders among hours, each hour played by the simulator.

    As the plan counts: the p99 is that of all requests, also of those that
    the hour was too short for. Hours of an engine that cannot be are left
    out, and hours with the same slots again. Raises TypeError for what is no
    list of hours.
    """
    alike: dict[tuple, dict[int, Hour]] = defaultdict(dict)
    for hour in items("hours", hours, Hour):
        key = (hour.model, hour.max_lora_rank, hour.rates, hour.counts)
        if _can_be(hour):
            alike[key].setdefault(hour.max_loras, hour)
    return [
        _ladder([rows[slots] for slots in sorted(rows)], engine)
        for rows in alike.values()
        if len(rows) > 1
    ]


def _can_be(hour: Hour) -> bool:
    try:
        hour_limits(hour)
    except ValueError:
        return False
    return True


def _ladder(hours: list[Hour], engine: str) -> Ladder:
    first = hours[0]
    rates = hit_rate_curve(hour_workload(first).adapter_ids)
    return Ladder(
        first.model,
        first.max_lora_rank,
        first.num_adapters,
        float(f"{first.num_asked_per_s:.4g}"),
        tuple(hour.max_loras for hour in hours),
        tuple(hour.p99_ms for hour in hours),
        tuple(float(f"{_p99_ms(hour, engine):.4g}") for hour in hours),
        tuple(
            round(float(rates[min(hour.max_loras, len(rates)) - 1]), 4)
            for hour in hours
        ),
    )


def _p99_ms(hour: Hour, engine: str) -> float:
    terms = step_terms(hour.model)
    cost = terms.cost(hour.max_loras, hour.max_lora_rank, is_cold=True)
    run = serve(hour_workload(hour), hour_limits(hour), cost, engine)
    return float(np.percentile(run.ttft_ns, 99)) / NS_PER_MS


def ladder_score(
    found: Sequence[Ladder], is_by_hits: bool = False
) -> LadderScore:
    """Return the LadderScore of the plan's rule, or of the one by hits.

    Raises ValueError for no ladders.
    """
    found = items("found", found, Ladder)
    if not found:
        raise ValueError("found is empty, but must hold at least one ladder")
    choice("is_by_hits", is_by_hits, (True, False))
    factors = np.array([
        one.factor(one.by_hits() if is_by_hits else one.chosen())
        for one in found
    ])  # fmt: skip
    good, worst = (factors <= GOOD).mean(), np.percentile(factors, 90)
    return LadderScore(len(found), float(good), float(worst))


def score_lines(found: Sequence[Ladder]) -> list[str]:
    """Return the scores of both rules as lines of text, below a header."""
    rows = [
        ("lowest simulated p99, as the plan does", ladder_score(found)),
        ("fewest slots that hit nine in ten", ladder_score(found, True)),
    ]
    head = f"pick of {len(found)} ladders by"
    good = f"within {GOOD} times"
    return [f"{head:40} {good:>16}  nine in ten within"] + [
        f"{rule:40} {percent(score.good):>16} {score.worst:14,.2f} times"
        for rule, score in rows
    ]


def recorded_ladders() -> list[Ladder]:
    """Return the Ladders of the hours that the fit was made on.

    data/slot_ladders.json, written with RECORD.
    """
    return [
        Ladder(*row[:4], *map(tuple, row[4:]))
        for row in shared("slot_ladders")["rows"]
    ]


def _record(found: Sequence[Ladder]) -> None:
    data = {
        "what": "p99 by max_loras, measured and simulated (ms), and LRU hits",
        "source": shared("hours")["source"],
        "url": shared("hours")["url"],
        "columns": Ladder._fields,
        "rows": found,
    }
    path = files("multilora").joinpath("data/slot_ladders.json")
    text = json.dumps(data, separators=(",", ":"))
    Path(str(path)).write_text(text.replace("[[", "[\n[").replace(
        "],[\"", "],\n[\"") + "\n", "utf-8")  # fmt: skip
    forget()


def main(arguments: Sequence[str]) -> int:
    """Print the scores of a file's ladders; return the exit status."""
    if not 1 <= len(arguments) <= 2 or arguments[1:] not in ([], [RECORD]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        found = ladders(read_hours(arguments[0]))
        print("\n".join(score_lines(found)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if RECORD in arguments:
        _record(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
