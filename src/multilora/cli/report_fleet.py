"""A report's tables on several engines: losses and routers."""

from multilora.cli.markup import escaped, heading, table
from multilora.cli.report_parts import percent
from multilora.plan.routers import best_router


def fleet(plan):
    """Return the parts of the page on several engines; none for one."""
    found = []
    if plan.losses:
        found += [heading("If an engine is lost"), losses(plan)]
    if plan.routers:
        found += [heading("Which router"), routers(plan)]
    return found


def losses(plan):
    """Return a row a loss: what all tenants meet on those that are left."""
    rows = [
        (
            f"without engine {loss.engine}",
            f"{loss.outcome.p50_ms:,.0f}",
            f"{loss.outcome.p99_ms:,.0f}",
            percent(loss.outcome.share),
            f"{loss.num_late:,}",
        )
        for loss in plan.losses
    ]
    return table(
        ("", "TTFT p50", "TTFT p99", "tenants in SLO", "late tenants"),
        rows,
        "All of the traffic on the engines that are left, each tenant of the "
        "lost one on their backup; ms",
        range(1, 5),
    )


def routers(plan):
    """Return a row a rule, and which file to take."""
    best = best_router(plan)
    rows = [
        (
            one.rule, one.file or "", f"{one.num_engines_each:.1f}",
            f"{one.num_slot_loads:,}", f"{one.p99_ms:,.0f}",
            f"{one.num_late:,}",
        )
        for one in plan.routers
    ]  # fmt: skip
    made = table(
        ("rule", "file", "engines a tenant", "slot loads", "TTFT p99",
         "late tenants"),
        rows,
        "These engines behind each router, from a start without adapters; "
        "ms",
        range(2, 6),
    )  # fmt: skip
    if best is None:
        return made
    return f"{made}\n<p>Take {escaped(best.file, 100)}.</p>"
