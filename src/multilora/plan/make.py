"""A Case into its Plan: search, play the whole log, ask what would change."""

from collections.abc import Callable

from multilora.arguments import integer
from multilora.cache.fast import has_numba
from multilora.plan.answer import Engine, Plan
from multilora.plan.case import Case, check_case
from multilora.plan.otherwise import assumptions, neighbours
from multilora.plan.played import Served, memory_of, play
from multilora.plan.search import (
    MAX_ENGINES,
    Search,
    fewest_engines,
    is_met,
)
from multilora.plan.stretch import busiest
from multilora.plan.tenants import outcome_of, tenants_of
from multilora.plan.words import notes_of
from multilora.plan.workers import Workers, workers_of

# So many requests are played some fifty times in about twenty seconds.
SEARCHED = {True: 200_000, False: 20_000}  # with numba, and without


def make_plan(
    case: Case,
    max_engines: int = MAX_ENGINES,
    num_searched: int | None = None,
    progress: Callable[[str], object] = lambda line: None,
    workers: int | str | Workers = 1,
) -> Plan:
    """Return the Plan of a Case: the fewest engines that meet its SLO.

    Settings are searched on the busiest num_searched requests in a row
    (None: what takes well under a minute), and the chosen one is played on
    all. The SLO is met where it is on both. progress gets a line now and
    then. workers says where settings are played, as workers_of takes it:
    the plan is the same everywhere. Raises NoPlanError where no engine
    starts. Interrupted in the search, it says what was the best so far.
    """
    case = check_case(case)
    most = integer("max_engines", max_engines, 1, 1024)
    num = SEARCHED[has_numba()] if num_searched is None else num_searched
    searched = case._replace(workload=busiest(case.workload, num))
    with workers_of(workers).players(searched) as players:
        search = Search(searched, progress, players)
        try:
            chosen = fewest_engines(search, most)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(search.told()) from None
        beside = neighbours(search, chosen)
        otherwise = assumptions(search, chosen)
    progress("the chosen setting, on all requests")
    engines = play(case, chosen.groups, chosen.dials)
    assert engines, "what started in the search starts again"
    outcome = outcome_of(engines, case.slo)
    is_kept = all(is_met(case, one) for one in (chosen.outcome, outcome))
    settings = case.settings
    return Plan(
        model=case.model,
        vllm_version=case.vllm_version,
        card_gib=case.card_gib,
        tensor_parallel_size=case.tensor_parallel_size,
        gpu_memory_utilization=settings.share,
        max_model_len=case.max_model_len,
        more_args=case.more_args,
        slo=case.slo,
        seconds=case.seconds,
        num_requests=case.workload.num_requests,
        cost=case.costs.said,
        is_met=is_kept,
        outcome=outcome,
        engines=tuple(_engine(case, one) for one in engines),
        neighbours=beside,
        assumptions=otherwise,
        notes=notes_of(
            case,
            searched,
            chosen,
            engines,
            search.out_of_reach,
            search.least_slots(chosen) if is_kept else None,
        ),
    )


def _engine(case: Case, served: Served) -> Engine:
    return Engine(
        setting=served.setting,
        memory=memory_of(served.ledger),
        outcome=outcome_of([served], case.slo),
        tenants=tenants_of(case, served),
    )
