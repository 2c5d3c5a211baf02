"""The plan of a case: engines, slots, who is late, the `vllm serve` line."""

from collections.abc import Mapping

from multilora.inpage.blocks import (
    Block,
    Table,
    begun,
    progress,
)
from multilora.inpage.case_asked import NO_NAME, CaseAsked
from multilora.inpage.case_base import name_in
from multilora.inpage.case_engines import dials, serve_lines, who_is_where
from multilora.inpage.pictures import Dot, promise_dots
from multilora.logs.read import Log
from multilora.models.named import served_name
from multilora.models.shapes import ModelShape
from multilora.plan.answer import Plan
from multilora.plan.by_name import Adapter, with_adapters
from multilora.plan.case import Case, make_case
from multilora.plan.costs import fitted_costs
from multilora.plan.make import make_plan
from multilora.plan.stretch import busiest
from multilora.plan.verdict import doubts_of, tenant_cells, verdict_of
from multilora.serving.logged import log_workload

TITLE = "The plan"
SEARCHED = 2_000  # requests that each setting is tried on
PLAYED = 12_000  # requests that the chosen one is played on
MOST_MODULES = 20  # of --lora-modules, in a line for a person
WORST = 10  # tenants
HEAD = ("tenant", "requests", "rank", "p50 ms", "p99 ms", "in time", "cause")


def case_of(
    log: Log, shape: ModelShape, asked: CaseAsked, found: Mapping[str, Adapter]
) -> tuple[Case, list[str]]:
    """Return the Case that `multilora plan` makes of the same, and notes.

    Of a longer log it has the busiest PLAYED requests in a row. Raises as
    make_case and card_gib do.
    """
    ranks, folders, notes = with_adapters(
        log.tenants, found, [asked.rank] * len(log.tenants)
    )
    if len([f for f in folders if f]) > MOST_MODULES:
        folders = [None] * len(folders)
        notes.append(
            "--lora-modules is left out of the line; `multilora plan --write "
            "FOLDER` writes it"
        )
    case = make_case(
        served_name(asked.model) if asked.model else name_in(shape),
        shape,
        asked.card_gib,
        log_workload(log),
        fitted_costs(shape, asked.tensor_parallel_size),
        names=log.tenants,
        ranks=ranks,
        folders=folders,
        slo=asked.slo,
        tensor_parallel_size=asked.tensor_parallel_size,
    )
    return case._replace(workload=busiest(case.workload, PLAYED)), notes


def plan_block(
    log: Log, shape: ModelShape, asked: CaseAsked,
    found: Mapping[str, Adapter], command: str,
) -> Block:  # fmt: skip
    """Return the Plan of a case as a Block.

    command asks the same in a shell, on every request. Raises NoPlanError
    where no engine starts, and as case_of does.
    """
    case, notes = case_of(log, shape, asked, found)
    plan = make_plan(
        case, num_searched=SEARCHED, progress=lambda line: progress(line)
    )
    said = [
        " ".join(verdict_of(plan)),
        dials(plan),
        *_on_size(log, case, command),
    ]
    said += who_is_where(plan)
    said += [f"If {doubt}." for doubt in doubts_of(plan)]
    said += [f"Times of a step: {plan.cost}."]
    said += [f"{begun(note)}." for note in (*plan.notes, *notes)]
    if case.model == NO_NAME:
        said.append(
            f"Put your model's name or its folder in the place of {NO_NAME}."
        )
    return Block(
        TITLE,
        said,
        _table(plan),
        _picture(plan),
        serve_lines(plan),
        _numbers(plan),
    )


def _on_size(log: Log, case: Case, command: str) -> list[str]:
    num, played = log.num_requests, case.workload.num_requests
    if num <= SEARCHED:
        return []
    on_part = "" if played == num else (
        f" and played the chosen one on the busiest {played:,} in a row"
    )  # fmt: skip
    return [
        f"So that it takes seconds, this page tried settings on the busiest "
        f"{SEARCHED:,} of {num:,} requests{on_part}. In a shell all are "
        f"played: {command}"
    ]


def _table(plan: Plan) -> Table:
    rows = [
        (
            one.name,
            *tenant_cells(one),
        )
        for one in plan.tenants[:WORST]
    ]
    return Table(HEAD, rows)


def _picture(plan: Plan) -> str:
    dots = [
        Dot(one.p99_ms, one.meets_slo)
        for one in plan.tenants
        if one.num_requests
    ]
    late = sum(not dot.is_met for dot in dots)
    return promise_dots(
        dots,
        plan.slo.ttft_p99_ms,
        f"The p99 of each of {len(dots):,} tenants, the highest "
        f"{dots[0].p99_ms:,.0f} ms; {late:,} are above the promise of "
        f"{plan.slo.ttft_p99_ms:,.0f} ms.",
    )


def _numbers(plan: Plan) -> dict:
    return {
        "is_met": plan.is_met,
        "num_engines": len(plan.engines),
        "max_loras": [e.setting.max_loras for e in plan.engines],
        "max_lora_rank": [e.setting.max_lora_rank for e in plan.engines],
        "max_cpu_loras": [e.setting.max_cpu_loras for e in plan.engines],
        "p50_ms": plan.outcome.p50_ms,
        "p99_ms": plan.outcome.p99_ms,
        "share": plan.outcome.share,
        "tenants": [[one.name, one.p99_ms] for one in plan.tenants[:1000]],
    }
