"""The rule by which one of several settings is taken, and why it was."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from multilora.arguments import finite_number, items, shown
from multilora.plan.answer import Outcome, Slo
from multilora.units import percent

# Two p99 that differ by less count as equal: the first of them is taken.
ALIKE = 1.05


class SlotChoice(NamedTuple):
    """One value of max_loras: its bytes, its KV tokens, what it serves.

    outcome is None where the engine does not start.
    """

    max_loras: int
    slot_bytes: int
    kv_tokens_low: int
    kv_tokens_high: int
    outcome: Outcome | None


class Advice(NamedTuple):
    """The choice to take, or None where no engine starts, and why."""

    choice: SlotChoice | None
    is_met: bool
    reason: str


def best_place(
    p99_ms: Sequence[float | None],
    shares: Sequence[float],
    wanted_share: float = 1.0,
) -> int | None:
    """Return the place of the best of several settings; None: none starts.

    p99_ms is that of each setting's TTFT, None where it does not start, and
    shares how many of its tenants meet the SLO. Of those that reach
    wanted_share, or else of those with the largest share, it is the first
    whose p99 is within 5 % of the lowest. So put first what you prefer: on
    real hours that is the most slots (evidence.hours_ladders).
    Raises ValueError for rows of different lengths or a share outside 0 to 1.
    """
    wanted = finite_number("wanted_share", wanted_share, 0, 1)
    times = items("p99_ms", p99_ms, object)
    met = [
        finite_number("shares", share, 0, 1)
        for share in items("shares", shares, object)
    ]
    if len(times) != len(met):
        raise ValueError(
            f"shares holds {len(met)}, but must be one for each of the "
            f"{len(times)} of p99_ms"
        )
    starts = {
        place: finite_number("p99_ms", ms, 0)
        for place, ms in enumerate(times)
        if ms is not None
    }
    if not starts:
        return None
    enough = min(wanted, max(met[place] for place in starts))
    pool = [place for place in starts if met[place] >= enough]
    least = min(starts[place] for place in pool)
    return next(place for place in pool if starts[place] <= ALIKE * least)


def recommend(choices: Iterable[SlotChoice], slo: Slo) -> Advice:
    """Return the Advice for several values of max_loras: by p99, not by hits.

    The rule is best_place's. The reason names what the next smaller and the
    next larger value would do. Raises ValueError for no choices.
    """
    rows = sorted(
        items("choices", choices, SlotChoice),
        key=lambda row: -row.max_loras,
    )
    if not isinstance(slo, Slo):
        raise TypeError(f"slo is {shown(slo)}, but must be a Slo")
    if not rows:
        raise ValueError("choices is empty, but must hold at least one")
    shares = [row.outcome.share if row.outcome else 0.0 for row in rows]
    place = best_place(
        [row.outcome.p99_ms if row.outcome else None for row in rows],
        shares,
        slo.share,
    )
    if place is None:
        return Advice(None, False, _card_full(rows[-1]))
    beside = rows[place + 1 : place + 2] + rows[:place][-1:]
    is_met = shares[place] >= slo.share
    said = [_served(rows[place], slo), *(_served(row, slo) for row in beside)]
    if not is_met:
        said.append("no number of slots reaches the SLO")
    return Advice(rows[place], is_met, "; ".join(said))


def _served(row: SlotChoice, slo: Slo) -> str:
    if row.outcome is None:
        return (
            f"max_loras={row.max_loras} does not start for sure: "
            f"{row.kv_tokens_low:,} KV tokens at worst"
        )
    return (
        f"max_loras={row.max_loras}: p99 {row.outcome.p99_ms:,.0f} ms, "
        f"{percent(row.outcome.share)} of tenants within "
        f"{slo.ttft_p99_ms:,.0f} ms"
    )


def _card_full(smallest):
    return (
        f"the card is full: max_loras={smallest.max_loras} leaves "
        f"{smallest.kv_tokens_low:,} KV tokens at worst"
    )
