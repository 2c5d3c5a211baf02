"""The chosen engines behind each router: what its rule makes of them."""

from typing import NamedTuple
from urllib.parse import quote

import numpy as np

from multilora.fleet.homes import homes_of
from multilora.fleet.play import serve_fleet
from multilora.fleet.played import FleetRun
from multilora.matmul.operands import BASE
from multilora.plan.advice import best_place
from multilora.plan.answer import Plan, Routed, Setting, Slo
from multilora.plan.case import Case
from multilora.plan.played import (
    ledger_of,
    limits_of,
    most_slots,
    setting_of,
    settings_of,
)
from multilora.plan.search import Tried
from multilora.routing.given import Rule
from multilora.routing.rules import rule
from multilora.serving.cost import NS_PER_MS
from multilora.serving.parts import percentile_of_parts

FIRST_PORT = 8000  # the engines of a plan's files have the ports after it
# The rules that are played, and the file that sets up a router with each.
RULES = {
    "placed-in-turn": "gateway.conf",
    "consistent_hash": "router.sh",
    "production-stack-session": "production-stack.yml",
    "llm-d-lora-affinity": "llm-d.yml",
    "llm-d-default": None,
    "least_running": None,
    "round_robin": None,
}


class Fleet(NamedTuple):
    """Settings of the engines, and the homes of tenants or None for all."""

    settings: tuple[Setting, ...]
    homes: list[list[int]] | None


def routers_of(case: Case, chosen: Tried) -> tuple[Routed, ...]:
    """Return what each rule of RULES makes of the chosen engines.

    Engines start without adapters, with the memory that each rule asks for:
    one that follows the plan gives an engine its own tenants, any other
    needs every adapter on every engine, with slots of the widest rank: as
    many as the plan's, or as many as start, whichever serves better. A rule
    whose engines would not start is left out; so are all where there is one
    engine. The time of a step is that of the widest engine.
    """
    if chosen.num_engines < 2:
        return ()
    ours = settings_of(case, chosen.known or chosen.groups, chosen.dials)
    every = _all_on_all(case, chosen)
    homes = homes_of(chosen.groups)
    known = homes_of(chosen.known or chosen.groups)
    assert ours, "what started in the search starts again"
    fleets = {
        "placed-in-turn": [Fleet(tuple(ours), homes)],
        "production-stack-session": [Fleet(tuple(ours), known)],
    }
    found = []
    for name, file in RULES.items():
        rows = [
            _row(name, file, _run(case, fleet, named_rule(name, case)),
                 case.slo)
            for fleet in fleets.get(name, every)
        ]  # fmt: skip
        found += sorted(rows, key=lambda row: (row.num_late, row.p99_ms))[:1]
    return tuple(found)


def best_router(plan: Plan) -> Routed | None:
    """Return the router to take, of those that a file sets up; None for none.

    The first that keeps the SLO, because those that follow the plan come
    first, and what follows from a loss was played with them. Where none
    keeps it, the best by advice.best_place.
    """
    rows = [one for one in plan.routers if one.file]
    for one in rows:
        if one.share >= plan.slo.share:
            return one
    place = best_place(
        [one.p99_ms for one in rows],
        [one.share for one in rows],
        plan.slo.share,
    )
    return None if place is None else rows[place]


def named_rule(name: str, case: Case) -> Rule:
    """Return a rule that knows the engines' URLs and the tenants' names.

    Both are those of a plan's files, for rings hash them. Raises ValueError
    for a name that no rule has.
    """
    known = rule(name)
    names = tuple(quote(one, safe="") for one in case.tenants.names)

    def make(setup):
        urls = tuple(map(url_of, range(1, setup.num_engines + 1)))
        return known.make(setup._replace(urls=urls, names=names))

    return known._replace(make=make)


def url_of(number: int) -> str:
    """Return the URL of engine `number`, 1 for the first, on this machine."""
    return f"http://127.0.0.1:{FIRST_PORT + number}"


def _all_on_all(case: Case, chosen: Tried) -> list[Fleet]:
    """Every engine knows every adapter: with few slots, and with many."""
    tenants = range(len(case.tenants.names))
    dials = chosen.dials
    most = most_slots(case, tenants, dials._replace(max_loras=len(tenants)))
    counts = {min(dials.max_loras, most), most} - {0}
    settings = [
        setting_of(case, tenants, dials._replace(max_loras=num))
        for num in sorted(counts)
    ]
    return [Fleet((one,) * chosen.num_engines, None) for one in settings]


def _run(case: Case, fleet: Fleet, rule: Rule) -> FleetRun:
    limits = [limits_of(one, _kv_tokens(case, one)) for one in fleet.settings]
    cost = case.costs.cost(
        max(one.max_loras for one in fleet.settings),
        max(one.max_lora_rank for one in fleet.settings),
    )
    return serve_fleet(
        case.workload, limits, cost, num_engines=len(limits), rule=rule,
        homes=fleet.homes,
    )  # fmt: skip


def _kv_tokens(case: Case, setting: Setting) -> int:
    return ledger_of(case, setting).kv_tokens_low


def _row(name: str, file: str | None, run: FleetRun, slo: Slo) -> Routed:
    p50, p99 = np.percentile(run.ttft_ns / NS_PER_MS, [50, 99])
    in_time = _verdicts(run, slo)
    homes = run.num_homes
    return Routed(
        rule=name,
        file=file,
        p50_ms=float(p50),
        p99_ms=float(p99),
        share=float(in_time.mean()),
        num_late=int((~in_time).sum()),
        num_slot_loads=int(run.num_slot_loads.sum()),
        num_engines_each=float(homes[homes > 0].mean()),
    )


def _verdicts(run: FleetRun, slo: Slo) -> np.ndarray:
    """Whether each tenant who asks meets the SLO, by all their requests."""
    load = run.workload
    rows = np.flatnonzero(load.adapter_ids != BASE)
    rows = rows[np.argsort(load.adapter_ids[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(load.adapter_ids[rows], prepend=BASE) != 0)
    p99_ms = percentile_of_parts(run.ttft_ns[rows] / NS_PER_MS, starts, 99)
    met = p99_ms <= slo.ttft_p99_ms
    if slo.itl_ms is not None:
        met &= [
            _gap_ms(run, mine) <= slo.itl_ms
            for mine in np.split(rows, starts[1:])
        ]
    return met


def _gap_ms(run: FleetRun, rows: np.ndarray) -> float:
    """The p99 of requests' mean gaps; 0 where each reply has one token."""
    num = run.workload.output_tokens[rows] - 1
    gaps_ns = (run.latency_ns - run.ttft_ns)[rows]
    gaps = gaps_ns[num > 0] / num[num > 0]
    return float(np.percentile(gaps, 99)) / NS_PER_MS if len(gaps) else 0.0
