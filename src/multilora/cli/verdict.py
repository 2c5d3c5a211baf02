"""How `multilora verify` shows a Verdict: as tables, or for a script."""

from typing import Any

from rich.markup import escape

from multilora.cli import show
from multilora.plan.answer import Outcome, Plan, Tenant
from multilora.serving.prediction import Prediction
from multilora.verify.measured import Times, Verdict

SHOWN = 20  # tenants; --json has all


def verdict_json(
    plan: Plan, result: Verdict, simulated: Prediction | None, notes: list[str]
) -> dict[str, Any]:
    """Return what `multilora verify --json` prints."""
    return {
        "slo": plan.slo.model_dump(),
        "num_requests": result.num_requests,
        "num_failed": result.num_failed,
        "measured": result.times._asdict() | {"share": result.share},
        "planned": result.planned.model_dump(),
        "simulated": simulated and _simulated_json(simulated),
        "is_met": result.is_met,
        "was_met": result.was_met,
        "is_agreed": result.is_agreed,
        "tenants": [
            {
                "name": row.planned.name,
                "num_requests": row.num_requests,
                "num_failed": row.num_failed,
                "measured": row.times._asdict(),
                "planned": row.planned.model_dump(
                    include={"p50_ms", "p99_ms", "gap_ms"}
                ),
                "meets_slo": row.meets_slo,
                "planned_meets_slo": row.planned.meets_slo,
            }
            for row in result.rows
        ],
        "notes": notes,
    }


def _simulated_json(simulated: Prediction) -> dict[str, Any]:
    return {
        "p50_ms": simulated.p50_ms and simulated.p50_ms._asdict(),
        "p99_ms": simulated.p99_ms and simulated.p99_ms._asdict(),
        "busy": simulated.busy,
    }


def print_verdict(
    plan: Plan, result: Verdict, simulated: Prediction | None, notes: list[str]
) -> None:
    """Print a Verdict: all requests, the tenants with the worst p99, notes."""
    out = show.console()
    rows = [
        _row("all", result.num_requests, result.num_failed, result.times,
             result.planned, "")
    ]  # fmt: skip
    rows += [
        _row(
            row.planned.name, row.num_requests, row.num_failed, row.times,
            row.planned, "met" if row.meets_slo else "missed",
        )
        for row in result.rows[:SHOWN]
    ]  # fmt: skip
    columns = ["ms of TTFT", "sent", "failed", "p50", "planned", "p99",
               "planned", "gap p99", "planned", "SLO"]  # fmt: skip
    out.print(show.table(columns, rows))
    if len(result.rows) > SHOWN:
        out.print(f"and {len(result.rows) - SHOWN} tenants with lower p99")
    if simulated:
        out.print(f"the same requests, simulated: {simulated}", soft_wrap=True)
    slo = plan.slo
    gap = "" if slo.itl_ms is None else f", gaps to {slo.itl_ms:,g} ms"
    out.print(
        f"\nSLO: TTFT p99 up to {slo.ttft_p99_ms:,g} ms{gap}, for "
        f"{slo.share:.1%} of the tenants",
        soft_wrap=True,
    )
    words = {True: "met", False: "missed"}
    out.print(
        f"measured: [bold]{words[result.is_met]}[/bold], by "
        f"{result.share:.1%} of the tenants; planned: "
        f"{words[result.was_met]}, by {result.planned.share:.1%}. They "
        f"{'agree' if result.is_agreed else 'disagree'}.",
        soft_wrap=True,
    )
    for note in notes:
        out.print(f"note: {escape(note)}", soft_wrap=True)


def _row(
    name: str,
    num: int,
    failed: int,
    times: Times,
    planned: Outcome | Tenant,
    met: str,
) -> list[str]:
    return [
        show.plain(name if len(name) <= 40 else f"{name[:39]}…"),
        f"{num:,}",
        f"{failed:,}",
        *(
            "-" if ms is None else f"{ms:,.0f}"
            for pair in (
                (times.p50_ms, planned.p50_ms),
                (times.p99_ms, planned.p99_ms),
                (times.gap_ms, planned.gap_ms),
            )
            for ms in pair
        ),
        met,
    ]
