"""Scenes: the traffic of the chapter on fleets, and who is at home where."""

import numpy as np

from multilora import traffic
from multilora.arguments import finite_number, integer
from multilora.fleet.homes import MAX_TENANTS, Homes, homes_of
from multilora.fleet.placement import balanced
from multilora.fleet.replicas import replicas
from multilora.fleet.turns import in_turn
from multilora.serving.workload import (
    Workload,
    geometric_tokens,
    make_workload,
)
from multilora.traffic.arrivals import poisson_arrivals

PROMPT_TOKENS, OUTPUT_TOKENS = 256, 64  # as lab 04's engine has them
ENGINE_RATE = 50.0  # requests a second: one engine load
DURATION_S = 40.0


def zipf_rates(tenants: int, rate: float, skew: float) -> np.ndarray:
    """Return requests a second of each tenant, the busiest first.

    rate is that of all together; skew is the exponent of Zipf's law, 0 for
    equal tenants.
    """
    return finite_number("rate", rate, 0) * traffic.zipf_popularity(
        tenants, skew
    )


def hot_rates(hot_load: float = 2.5) -> np.ndarray:
    """Return one tenant of hot_load engine loads and nine of a tenth.

    Requests a second; ENGINE_RATE of them are one engine load.
    """
    hot = finite_number("hot_load", hot_load, 0, 100)
    return ENGINE_RATE * np.array([hot] + [0.1] * 9)


def morning_rates(spread_hours: int, peak_load: float = 0.25) -> np.ndarray:
    """Return 100 tenants' requests a second in the fleet's busiest hour.

    As sizing.load_by_hour has them: peak_load of an engine in a tenant's own
    busy hour, a tenth of it otherwise; busy hours spread over spread_hours
    from 9 a.m. on, so at 9 as many are busy as ever.
    """
    spread = integer("spread_hours", spread_hours, 1, 24)
    is_busy = np.arange(100) % spread == 0
    return ENGINE_RATE * peak_load * np.where(is_busy, 1.0, 0.1)


def traffic_of(
    rates: np.ndarray, duration_s: float = DURATION_S, seed: int = 0
) -> Workload:
    """Return Poisson arrivals of tenants at these rates, 256 tokens in.

    Replies have 64 tokens on average, geometric.
    """
    times, ids = poisson_arrivals(rates, duration_s, seed)
    tokens = geometric_tokens(len(times), OUTPUT_TOKENS, seed=seed)
    return make_workload(times, ids, PROMPT_TOKENS, tokens, len(rates))


def replica_homes(
    rates: np.ndarray,
    engines: int,
    max_share: float,
    slots: int = MAX_TENANTS,
) -> Homes:
    """Return homes where no tenant takes more than max_share of an engine.

    Each tenant is on the fewest engines that keep it below that share; the
    loads of the engines are about equal, with at most `slots` tenants each.
    """
    counts = replicas(np.asarray(rates) / ENGINE_RATE, engines, max_share)
    return in_turn(rates, counts, engines, slots)


def spread_homes(rates: np.ndarray, engines: int) -> Homes:
    """Return one home for each tenant, the loads of engines about equal."""
    if engines == 1:
        return [[0]] * len(rates)
    return homes_of(balanced(rates, engines))
