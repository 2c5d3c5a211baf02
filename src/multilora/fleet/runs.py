"""Runs of the scenes; what a slider or a cell may ask again is kept."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from multilora.arguments import integer
from multilora.fleet.events import Dies, Event, Onboards
from multilora.fleet.homes import Homes
from multilora.fleet.play import serve_fleet
from multilora.fleet.played import FleetRun
from multilora.fleet.scenes import (
    DURATION_S,
    hot_rates,
    spread_homes,
    traffic_of,
    zipf_rates,
)
from multilora.fleet.turns import in_turn
from multilora.routing.given import Choose, Rule, Setup
from multilora.routing.rules import rule as rule_named
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve

SLOTS = 8
LATE_MS = 500.0  # as lab 04's engine counts late tenants
PLACED = ("placed", "placed-in-turn")


def played(
    rates: Iterable[float],
    engines: int,
    rule: str | Rule,
    max_loras: int = SLOTS,
    homes: Homes | None = None,
    events: Iterable[Event] = (),
    scrape_ms: float | None = None,
    duration_s: float = DURATION_S,
    seed: int = 0,
) -> FleetRun:
    """Return the FleetRun of traffic_of(rates) on equal engines.

    Each engine has max_loras slots and a CPU tier for all tenants; its cost
    is the fitted one of Qwen2.5-7B at rank 16. The rules placed and
    placed-in-turn get homes from placement.balanced unless homes are given.
    """
    rates = np.asarray(rates, dtype=float)
    if homes is None and rule in PLACED:
        homes = spread_homes(rates, engines)
    return serve_fleet(
        traffic_of(rates, duration_s, seed),
        engine_limits(max_loras, max_cpu_loras=max(len(rates), max_loras)),
        num_engines=engines,
        rule=rule,
        homes=homes,
        events=events,
        scrape_ms=scrape_ms,
        seed=seed,
    )


@lru_cache(maxsize=64)
def zipf_run(
    tenants: int,
    engines: int,
    rule: str,
    rate: float = 40.0,
    skew: float = 1.0,
    scrape_ms: float | None = None,
    seed: int = 0,
) -> FleetRun:
    """Return the run of tenants by Zipf's law; those played are kept."""
    rates = zipf_rates(tenants, rate, skew)
    return played(rates, engines, rule, scrape_ms=scrape_ms, seed=seed)


@lru_cache(maxsize=16)
def prefix_run(name: str, prefix_share: float) -> FleetRun:
    """Return 40 tenants on 4 engines under an llm-d rule, with a prefix.

    prefix_share of a prompt's blocks are the same in all of a tenant's
    requests, so that the prefix scorer has something to find. (The engines
    compute them all the same: only the routing is shown.)
    """
    known = rule_named(name)

    def make(setup: Setup) -> Choose:
        return known.make(setup._replace(prefix_share=prefix_share))

    rates = zipf_rates(40, 40.0, 1.0)
    return played(rates, 4, known._replace(make=make))


@lru_cache(maxsize=64)
def hot_run(
    replicas: int,
    max_loras: int = SLOTS,
    hot_load: float = 2.5,
    by_slots: bool = False,
) -> FleetRun:
    """Return the run of hot_rates on 4 engines, the hot tenant on some.

    The others have one home each, placed by load; with by_slots no engine
    gets more tenants than slots. Requests of the hot tenant are dealt over
    its homes in turn.
    """
    rates = hot_rates(hot_load)
    counts = [integer("replicas", replicas, 1, 4)] + [1] * 9
    most = max_loras if by_slots else len(rates)
    homes = in_turn(rates, counts, 4, most)
    return played(rates, 4, "placed-in-turn", max_loras, homes)


@lru_cache(maxsize=16)
def death_run(
    rule: str, noticed_s: float = 2.0, at_s: float = 12.0, back_s: float = 24.0
) -> FleetRun:
    """Return 40 tenants on 4 engines, of which engine 0 dies and comes back.

    It comes back cold. The router sends it requests for noticed_s more.
    """
    rates = zipf_rates(40, 40.0, 1.0)
    return played(rates, 4, rule, events=[Dies(at_s, 0, back_s, noticed_s)])


def newcomer_run(engines: tuple[int, ...], rule: str) -> FleetRun:
    """Return 8 equal tenants on 2 engines, the last loaded at run time.

    The adapter of tenant 7 is loaded on `engines` after 10 s, one after the
    other, each 0.15 s later, as real servers took.
    """
    rates = zipf_rates(8, 20.0, 0.0)
    event = Onboards(10.0, 7, engines, 0.15)
    return played(rates, 2, rule, events=[event])


@lru_cache(maxsize=16)
def alone_p99_ms(rate: float, max_loras: int = SLOTS) -> float:
    """Return the p99 of one engine that serves one tenant at this rate."""
    run = serve(traffic_of(np.array([rate])), engine_limits(max_loras))
    return float(np.percentile(run.ttft_ns, 99) / 1e6)


def fewest_played(
    rates: np.ndarray, rule: str, counts: Iterable[int], most_late: int = 1
) -> int | None:
    """Return the first of counts of engines with few late tenants, or None.

    Few is most_late at most whose p99 is above LATE_MS in 10 s of traffic.
    """
    for engines in counts:
        run = played(rates, engines, rule, duration_s=10.0)
        p99 = [run.percentile_ms(99, tenant) for tenant in range(len(rates))]
        if sum(value > LATE_MS for value in p99) <= most_late:
            return engines
    return None
