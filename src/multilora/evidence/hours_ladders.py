"""Does the plan's rule pick the right slots? On hours that were measured.

`python -m multilora.evidence.hours_ladders FILE.csv`, for any file in the
form of read_hours. A ladder is hours that differ in their slots only.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, items
from multilora.cache.hitrate import hit_rate_curve
from multilora.evidence.hours_file import Hour, read_hours
from multilora.evidence.hours_play import hour_limits, hour_workload
from multilora.plan.advice import best_place
from multilora.serving.cost import NS_PER_MS
from multilora.serving.run import serve
from multilora.serving.terms import step_terms
from multilora.units import percent

GOOD = 1.2  # of a ladder's best p99
WANTED_HITS = 0.9  # the rule of before: the fewest slots that hit so often


class Ladder(NamedTuple):
    """Hours alike but for their slots, fewest first, with what we say.

    simulated_ms is the simulated p99, hits the LRU hit rate, one an hour.
    """

    hours: tuple[Hour, ...]
    simulated_ms: tuple[float, ...]
    hits: tuple[float, ...]

    def chosen(self) -> int:
        """Return the place that best_place takes, the most slots first."""
        place = best_place(self.simulated_ms[::-1], [0.0] * len(self.hours))
        assert place is not None, "every hour of a ladder was played"
        return len(self.hours) - 1 - place

    def by_hits(self) -> int:
        """Return the place of the fewest slots that hit WANTED_HITS."""
        enough = [k for k, hits in enumerate(self.hits) if hits >= WANTED_HITS]
        return enough[0] if enough else len(self.hits) - 1

    def factor(self, place: int) -> float:
        """Return the measured p99 of a place over the ladder's best."""
        least = min(hour.p99_ms for hour in self.hours)
        return self.hours[place].p99_ms / max(least, 1e-9)


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
    rates = hit_rate_curve(hour_workload(hours[0]).adapter_ids)
    return Ladder(
        tuple(hours),
        tuple(_p99_ms(hour, engine) for hour in hours),
        tuple(float(rates[min(h.max_loras, len(rates)) - 1]) for h in hours),
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
    """Return the scores of both rules as lines of text."""
    rows = [
        ("the plan's rule, by simulated p99", ladder_score(found)),
        ("the rule by hits, nine in ten", ladder_score(found, True)),
    ]
    return [
        f"{rule}: {percent(score.good)} of {score.num_ladders} ladders within "
        f"{GOOD} times the best p99, nine in ten within {score.worst:,.2f}"
        for rule, score in rows
    ]


def main(arguments: Sequence[str]) -> int:
    """Print the scores of a file's ladders; return the exit status."""
    if len(arguments) != 1:
        print("usage: python -m multilora.evidence.hours_ladders FILE.csv",
              file=sys.stderr)  # fmt: skip
        return 2
    try:
        print("\n".join(score_lines(ladders(read_hours(arguments[0])))))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
