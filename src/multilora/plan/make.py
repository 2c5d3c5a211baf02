"""A Case into its Plan: search, play the whole log, ask what would change."""

from collections.abc import Callable

from multilora.arguments import integer
from multilora.cache.fast import has_numba
from multilora.plan.answer import Backup, Engine, Plan
from multilora.plan.case import Case, check_case
from multilora.plan.fleet_notes import fleet_notes
from multilora.plan.losses import Backed
from multilora.plan.otherwise import assumptions, neighbours
from multilora.plan.played import Served, memory_of, play
from multilora.plan.routers import routers_of
from multilora.plan.search import (
    MAX_ENGINES,
    Search,
    exactly,
    fewest_engines,
    is_met,
)
from multilora.plan.spare import fewest_with_spare
from multilora.plan.stretch import busiest
from multilora.plan.tenants import outcome_of, tenants_of
from multilora.plan.words import notes_of
from multilora.plan.workers import Workers, workers_of

# So many requests are played some fifty times in about twenty seconds.
SEARCHED = {True: 200_000, False: 20_000}  # with numba, and without
MOST_ENGINES = 1024


def make_plan(
    case: Case,
    max_engines: int = MAX_ENGINES,
    num_searched: int | None = None,
    progress: Callable[[str], object] = lambda line: None,
    num_engines: int | None = None,
    spare: int = 0,
    workers: int | str | Workers = 1,
) -> Plan:
    """Return the Plan of a Case: the fewest engines that meet its SLO.

    Settings are searched on the busiest num_searched requests in a row
    (None: what takes well under a minute), and the chosen one is played on
    all. The SLO is met where it is on both. num_engines is their number,
    None where it is searched up to max_engines. With spare 1 each tenant has
    a backup, and the SLO must be met on the busiest requests whichever
    engine is lost. progress gets a line now and then. workers says where
    settings are played, as workers_of takes it: the plan is the same
    everywhere. Raises NoPlanError where no engine starts, ValueError for
    more engines than have a tenant, or a spare beside one engine.
    Interrupted in the search, it says what was the best so far.
    """
    case = check_case(case)
    most = integer("max_engines", max_engines, 1, MOST_ENGINES)
    spare = integer("spare", spare, 0, 1)
    if num_engines is not None:
        most = integer("num_engines", num_engines, 1, MOST_ENGINES)
    if spare and most == 1:
        name = "max_engines" if num_engines is None else "num_engines"
        raise ValueError(
            f"spare is 1 and {name} is 1: with the only engine lost nobody "
            "is served, so it must be 2 or more"
        )
    num = SEARCHED[has_numba()] if num_searched is None else num_searched
    searched = case._replace(workload=busiest(case.workload, num))
    with workers_of(workers).players(searched) as players:
        search = Search(searched, progress, players, spare)
        try:
            chosen = _chosen(search, most, num_engines is not None)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(search.told()) from None
        progress("the chosen setting, on all requests")
        return _plan(case, search, chosen)


def _chosen(search: Search, most: int, is_given: bool) -> Backed:
    """The setting to take; without a spare its backups and losses are []."""
    wanted = search.wanted
    tried = exactly(search, most) if is_given else fewest_engines(search, most)
    if not search.spare:
        return Backed(tried, [], ())
    least = max(2, tried.num_engines)
    # What most engines cannot do, they cannot do with one fewer either.
    is_hopeless = is_given or search.wanted < wanted
    return fewest_with_spare(search, least, least if is_hopeless else most)


def _plan(case: Case, search: Search, backed: Backed) -> Plan:
    chosen = backed.tried
    engines = play(case, chosen.groups, chosen.dials, None, chosen.known)
    assert engines, "what started in the search starts again"
    outcome = outcome_of(engines, case.slo)
    losses = tuple(loss for loss in backed.losses if loss)
    is_kept = len(losses) == len(backed.losses) and all(
        is_met(case, one)
        for one in (chosen.outcome, outcome, *(lo.outcome for lo in losses))
    )
    return Plan(
        model=case.model,
        vllm_version=case.vllm_version,
        card_gib=case.card_gib,
        tensor_parallel_size=case.tensor_parallel_size,
        gpu_memory_utilization=case.settings.share,
        max_model_len=case.max_model_len,
        more_args=case.more_args,
        slo=case.slo,
        seconds=case.seconds,
        num_requests=case.workload.num_requests,
        cost=case.costs.said,
        is_met=is_kept,
        outcome=outcome,
        engines=tuple(
            _engine(case, one, number, backed)
            for number, one in enumerate(engines)
        ),
        neighbours=neighbours(search, chosen),
        assumptions=assumptions(search, chosen),
        notes=_notes(case, search, backed, engines, is_kept),
        spare=search.spare,
        losses=losses,
        routers=routers_of(search.case, chosen),
    )


def _notes(case, search, backed, engines, is_kept) -> tuple[str, ...]:
    chosen = backed.tried
    least_slots = search.least_slots(chosen) if is_kept else None
    return notes_of(
        case, search.case, chosen, engines, search.out_of_reach, least_slots
    ) + fleet_notes(case, search, backed)


def _engine(case: Case, served: Served, number: int, backed: Backed) -> Engine:
    names, ranks, folders = case.tenants
    return Engine(
        setting=served.setting,
        memory=memory_of(served.ledger),
        outcome=outcome_of([served], case.slo),
        tenants=tenants_of(case, served),
        backups=tuple(
            Backup(name=names[t], rank=ranks[t], folder=folders[t])
            for t, taker in enumerate(backed.takers)
            if taker == number
        ),
    )
