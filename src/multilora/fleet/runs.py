"""Runs of the scenes; what a slider or a cell may ask again is kept."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from multilora.arguments import finite_number, integer, items, text
from multilora.fleet.asked import rule_of
from multilora.fleet.events import Dies, Event, Onboards
from multilora.fleet.homes import MAX_ENGINES, MAX_TENANTS, Homes
from multilora.fleet.play import serve_fleet
from multilora.fleet.played import FleetRun
from multilora.fleet.scenes import (
    DURATION_S,
    MAX_RATE,
    check_rates,
    hot_rates,
    spread_homes,
    traffic_of,
    zipf_rates,
)
from multilora.fleet.turns import in_turn
from multilora.routing.given import Choose, Rule, Setup
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve

SLOTS, MAX_SLOTS, MAX_S = 8, 10**4, 3600
LATE_MS = 500.0  # as lab 04's engine counts late tenants
PLACED = ("placed", "placed-in-turn")


def played(
    rates: npt.ArrayLike,
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
    rates = check_rates(rates)
    num = integer("engines", engines, 1, MAX_ENGINES)
    max_loras = integer("max_loras", max_loras, 1, MAX_SLOTS)
    known = rule_of(rule)
    if homes is None and known.name in PLACED:
        homes = spread_homes(rates, num)
    return serve_fleet(
        traffic_of(rates, duration_s, seed),
        engine_limits(max_loras, max_cpu_loras=max(len(rates), max_loras)),
        num_engines=num,
        rule=known,
        homes=homes,
        events=events,
        scrape_ms=scrape_ms,
        seed=seed,
    )


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
    return _zipf_run(
        integer("tenants", tenants, 1, MAX_TENANTS),
        integer("engines", engines, 1, MAX_ENGINES),
        text("rule", rule),
        finite_number("rate", rate, 0, MAX_RATE),
        finite_number("skew", skew, 0, 10),
        None if scrape_ms is None else finite_number("scrape_ms", scrape_ms),
        integer("seed", seed, 0),
    )


@lru_cache(maxsize=64)
def _zipf_run(tenants, engines, rule, rate, skew, scrape_ms, seed):
    rates = zipf_rates(tenants, rate, skew)
    return played(rates, engines, rule, scrape_ms=scrape_ms, seed=seed)


def prefix_run(rule: str, prefix_share: float) -> FleetRun:
    """Return 40 tenants on 4 engines under an llm-d rule, with a prefix.

    prefix_share of a prompt's blocks are the same in all of a tenant's
    requests, so that the prefix scorer has something to find. (The engines
    compute them all the same: only the routing is shown.)
    """
    known = rule_of(rule)
    share = finite_number("prefix_share", prefix_share, 0, 1)

    def make(setup: Setup) -> Choose:
        return known.make(setup._replace(prefix_share=share))

    rates = zipf_rates(40, 40.0, 1.0)
    return played(rates, 4, known._replace(make=make))


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
    return _hot_run(
        integer("replicas", replicas, 1, 4),
        integer("max_loras", max_loras, 1, MAX_SLOTS),
        finite_number("hot_load", hot_load, 0, 100),
        bool(by_slots),
    )


@lru_cache(maxsize=64)
def _hot_run(replicas, max_loras, hot_load, by_slots):
    rates = hot_rates(hot_load)
    most = max_loras if by_slots else len(rates)
    homes = in_turn(rates, [replicas] + [1] * 9, 4, most)
    return played(rates, 4, "placed-in-turn", max_loras, homes)


def death_run(
    rule: str, noticed_s: float = 2.0, at_s: float = 12.0, back_s: float = 24.0
) -> FleetRun:
    """Return 40 tenants on 4 engines, of which engine 0 dies and comes back.

    It comes back cold. The router sends it requests for noticed_s more.
    """
    return _death_run(
        text("rule", rule),
        finite_number("noticed_s", noticed_s, 0, MAX_S),
        finite_number("at_s", at_s, 0, MAX_S),
        finite_number("back_s", back_s, 0, MAX_S),
    )


@lru_cache(maxsize=16)
def _death_run(rule, noticed_s, at_s, back_s):
    rates = zipf_rates(40, 40.0, 1.0)
    return played(rates, 4, rule, events=[Dies(at_s, 0, back_s, noticed_s)])


def newcomer_run(engines: tuple[int, ...], rule: str) -> FleetRun:
    """Return 8 equal tenants on 2 engines, the last loaded at run time.

    The adapter of tenant 7 is loaded on `engines` after 10 s, one after the
    other, each 0.15 s later, as real servers took.
    """
    rates = zipf_rates(8, 20.0, 0.0)
    given = items("engines", engines, object)
    where = tuple(integer("an engine of engines", e, 0, 1) for e in given)
    return played(rates, 2, rule, events=[Onboards(10.0, 7, where, 0.15)])


def alone_p99_ms(rate: float, max_loras: int = SLOTS) -> float:
    """Return the p99 of one engine that serves one tenant at this rate."""
    rates = [finite_number("rate", rate, above=0, maximum=MAX_RATE)]
    run = serve(traffic_of(rates), engine_limits(max_loras))
    return float(np.percentile(run.ttft_ns, 99) / 1e6)


def fewest_played(
    rates: npt.ArrayLike,
    rule: str,
    counts: Iterable[int],
    most_late: int = 1,
) -> int | None:
    """Return the first of counts of engines with few late tenants, or None.

    Few is most_late at most whose p99 is above LATE_MS in 10 s of traffic.
    """
    row = check_rates(rates)
    most = integer("most_late", most_late, 0)
    for one in items("counts", counts, object):
        engines = integer("an engine count of counts", one, 1, MAX_ENGINES)
        run = played(row, engines, rule, duration_s=10.0)
        p99 = [run.percentile_ms(99, tenant) for tenant in range(len(row))]
        if sum(value > LATE_MS for value in p99) <= most:
            return engines
    return None
