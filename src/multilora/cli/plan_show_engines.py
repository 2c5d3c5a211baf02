"""A plan's engines as a person reads them: who shares one, which router."""

from rich.console import Console

from multilora.cli.show import PAGE_WIDTH, plain, table
from multilora.plan.answer import Engine, Plan
from multilora.plan.routers import best_router
from multilora.units import percent

MOST_ROWS = 8  # of a table; --json has all


def print_engines(out: Console, plan: Plan) -> None:
    """Print who shares an engine, and what follows if it is lost."""
    out.print("\nWho shares an engine", style="bold")
    columns = ("", "tenants", "slots", "rank", "p99 ms", "in time")
    columns += ("backups", "lost: p99", "late") if plan.losses else (
        "such as",
    )  # fmt: skip
    rows = [
        _cells(plan, number, engine)
        for number, engine in enumerate(plan.engines[:MOST_ROWS], 1)
    ]
    out.print(table(columns, rows))
    more = len(plan.engines) - MOST_ROWS
    if more > 0:
        out.print(f"and {more} more: --json has all", width=PAGE_WIDTH)


def _cells(plan: Plan, number: int, engine: Engine) -> tuple:
    here = (
        f"engine {number}",
        len(engine.tenants),
        engine.setting.max_loras,
        engine.setting.max_lora_rank,
        f"{engine.outcome.p99_ms:,.0f}",
        percent(engine.outcome.share, 0),
    )
    if not plan.losses:
        return (*here, plain(_names(engine)))
    lost = {loss.engine: loss for loss in plan.losses}.get(number)
    after = ("does not start", "") if lost is None else (
        f"{lost.outcome.p99_ms:,.0f}",
        lost.num_late,
    )  # fmt: skip
    return (*here, len(engine.backups), *after)


def _names(engine: Engine) -> str:
    first = sorted(engine.tenants, key=lambda one: -one.num_requests)[:2]
    return ", ".join(one.name[:14] for one in first)


def print_routers(out: Console, plan: Plan) -> None:
    """Print what each router makes of these engines, and which to take."""
    best = best_router(plan)
    if best is None:
        return
    out.print("\nWhich router, from engines without adapters", style="bold")
    rows = [
        (
            one.rule,
            one.file or "",
            f"{one.num_slot_loads:,}",
            f"{one.p99_ms:,.0f}",
            one.num_late,
        )
        for one in plan.routers
    ]
    out.print(table(("", "file of --write", "loads", "p99 ms", "late"), rows))
    out.print(f"Take {best.file} ({best.rule}).", width=PAGE_WIDTH)
