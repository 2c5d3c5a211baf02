"""Scenes: the traffic of the chapter on fleets, and who is at home where."""

import numpy as np
import numpy.typing as npt

from multilora import traffic
from multilora.arguments import (
    finite_number,
    integer,
    real_array,
    require_finite,
    shown,
)
from multilora.fleet.homes import MAX_ENGINES, MAX_TENANTS, Homes, homes_of
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
MAX_RATE = 1e5


def zipf_rates(tenants: int, rate: float, skew: float) -> np.ndarray:
    """Return requests a second of each tenant, the busiest first.

    rate is that of all together; skew is the exponent of Zipf's law, 0 for
    equal tenants.
    """
    rate = finite_number("rate", rate, 0, MAX_RATE)
    num = integer("tenants", tenants, 1, MAX_TENANTS)
    exponent = finite_number("skew", skew, 0, 10)
    return rate * traffic.zipf_popularity(num, exponent)


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
    peak = finite_number("peak_load", peak_load, 0, 10)
    is_busy = np.arange(100) % spread == 0
    return ENGINE_RATE * peak * np.where(is_busy, 1.0, 0.1)


def traffic_of(
    rates: npt.ArrayLike, duration_s: float = DURATION_S, seed: int = 0
) -> Workload:
    """Return Poisson arrivals of tenants at these rates, 256 tokens in.

    Replies have 64 tokens on average, geometric. Raises ValueError where
    the rates are so low that nobody asks.
    """
    rates = check_rates(rates)
    times, ids = poisson_arrivals(rates, duration_s, seed)
    if not len(times):
        raise ValueError(
            f"rates sum to {rates.sum():g} a second, so low that nobody asks "
            f"in {duration_s:g} s"
        )
    tokens = geometric_tokens(len(times), OUTPUT_TOKENS, seed=seed)
    return make_workload(times, ids, PROMPT_TOKENS, tokens, len(rates))


def replica_homes(
    rates: npt.ArrayLike,
    engines: int,
    max_share: float,
    slots: int = MAX_TENANTS,
) -> Homes:
    """Return homes where no tenant takes more than max_share of an engine.

    Each tenant is on the fewest engines that keep it below that share; the
    loads of the engines are about equal, with at most `slots` tenants each.
    """
    rates = check_rates(rates)
    num = integer("engines", engines, 1, MAX_ENGINES)
    return in_turn(
        rates, replicas(rates / ENGINE_RATE, num, max_share), num, slots
    )


def spread_homes(rates: npt.ArrayLike, engines: int) -> Homes:
    """Return one home for each tenant, the loads of engines about equal."""
    rates = check_rates(rates)
    num = integer("engines", engines, 1, MAX_ENGINES)
    return homes_of(balanced(rates, num))


def check_rates(rates: npt.ArrayLike) -> np.ndarray:
    """Return rates as floats: requests a second of each tenant."""
    row = real_array("rates", rates, "one rate a tenant").astype(np.float64)
    require_finite("rates", row)
    if row.ndim != 1 or not row.size or row.min() < 0 or row.max() <= 0:
        raise ValueError(
            f"rates is {shown(rates)}, but must be one rate a tenant, none "
            "below 0 and one above"
        )
    if row.sum() > MAX_RATE:
        raise ValueError(
            f"rates sum to {row.sum():,.0f} a second, but must not to more "
            f"than {MAX_RATE:,.0f}"
        )
    return row
