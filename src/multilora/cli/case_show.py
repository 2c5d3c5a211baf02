"""A log, and what its tenants meet on one engine, as a page prints it."""

from collections.abc import Iterable, Mapping, Sequence

from multilora.cli.show import plain
from multilora.deploy.quoting import counted
from multilora.logs.read import Log
from multilora.plan.advice import SlotChoice
from multilora.plan.answer import Outcome, Plan, Tenant

MAX_NAME = 24  # letters of a tenant's name


def print_log(log: Log) -> None:
    """Print how a Log was understood, what is in it, what was skipped."""
    columns = ", ".join(name for name in log.columns if name)
    tokens = int(log.prompt_tokens.sum() + log.output_tokens.sum())
    _say(f"{log.format}; columns {columns}")
    _say(
        f"{counted(log.num_requests, 'request')} of "
        f"{counted(len(log.tenants), 'tenant')} in "
        f"{log.seconds / 60:,.0f} minutes, {counted(tokens, 'token')}; "
        f"{counted(log.num_skipped, 'line')} skipped"
    )
    for reason, skipped in log.skipped.items():
        _say(f"- {skipped.num:,}: {reason}, first in line {skipped.line:,}")
    for note in log.notes:
        _say(f"- {note}")


def print_choices(choices: Iterable[SlotChoice]) -> None:
    """Print the p99 and the tenants in time of each SlotChoice."""
    for row in choices:
        _say(f"max_loras={row.max_loras:3}: {_met(row.outcome)}")


def print_outcomes(outcomes: Mapping[str, Outcome]) -> None:
    """Print {what was played: its Outcome}, one a line."""
    for name, outcome in outcomes.items():
        _say(f"{name:27} {_met(outcome)}")


def print_late(tenants: Sequence[Tenant], top: int = 12) -> None:
    """Print the tenants that are late, the latest first, and the busiest.

    No more than `top` of those that are late.
    """
    asked = [one for one in tenants if one.num_requests]
    late = [one for one in asked if not one.meets_slo]
    _say(f"late: {len(late)} of {counted(len(asked), 'tenant')}")
    _say(f"{'':{MAX_NAME}} requests  p50 ms   p99 ms  cause")
    for one in sorted(late, key=lambda one: -one.p99_ms)[:top]:
        _say(_row(one))
    if len(late) > top:
        _say(f"and {len(late) - top:,} more")
    if asked:
        _say("the busiest:")
        _say(_row(max(asked, key=lambda one: one.num_requests)))


def print_doubts(plan: Plan) -> None:
    """Print what follows where an assumption of a Plan is otherwise."""
    _say(f"{'if':46} {'p99 ms':>8}  in time  promise")
    rows = [("all is as the plan assumes", plan.outcome, False)]
    rows += [(one.instead, one.outcome, one.flips) for one in plan.assumptions]
    for what, outcome, flips in rows:
        verdict = "kept" if plan.is_met != flips else "broken"
        times = f"{'no start':>18}"
        if outcome is not None:
            times = f"{outcome.p99_ms:8,.0f} {_share(outcome.share):>8}"
        _say(f"{what[:46]:46} {times}  {verdict}")


def print_shares(
    columns: Sequence[str], rows: Mapping[str, Sequence[float | None]]
) -> None:
    """Print shares of tenants in time, {name of a row: one a column}."""
    _say(f"{'tenants in time':26}", *(f"{name:>9}" for name in columns))
    for name, shares in rows.items():
        said = (
            "no start" if share is None else _share(share)
            for share in shares
        )  # fmt: skip
        _say(f"{name:26}", *(f"{text:>9}" for text in said))


def _met(outcome):
    if outcome is None:
        return "may not start"
    return (
        f"p99 {outcome.p99_ms:8,.0f} ms, {_share(outcome.share):>5} of the "
        "tenants in time"
    )


def _share(share):
    """In whole percent; 100 % is for all of them and not for nearly all."""
    nearest = round(100 * share)
    return f"{min(nearest, 99) if share < 1 else nearest} %"


def _row(one):
    name = plain(one.name, False)
    if len(name) > MAX_NAME:
        name = f"{name[: MAX_NAME - 1]}…"
    return (
        f"{name:{MAX_NAME}} {one.num_requests:8,} {one.p50_ms:7,.0f} "
        f"{one.p99_ms:8,.0f}  {one.cause or ''}"
    )


def _say(*texts):
    print(plain(" ".join(texts), False).rstrip())
