"""What a Plan answers, in sentences: the promise, what is met, the doubts."""

from multilora.arguments import shown
from multilora.plan.answer import Plan, Tenant
from multilora.units import percent


def verdict_of(plan: Plan) -> tuple[str, str]:
    """Return two sentences: engines and the promise; what tenants meet.

    Raises TypeError for no Plan.
    """
    plan = _checked(plan)
    num, slo = len(plan.engines), plan.slo
    engines = "1 engine" if num == 1 else f"{num} engines"
    kept = "the promise is kept" if plan.is_met else "the promise is NOT kept"
    if plan.spare:
        kept += " while any one of them is lost"
    wanted = "" if slo.share == 1 else f" (wanted: {percent(slo.share, 0)})"
    gap = (
        "" if slo.itl_ms is None else f" and gaps within {slo.itl_ms:,.0f} ms"
    )
    here = plan.outcome
    return f"{engines}: {kept}.", (
        f"{plan.num_requests:,} requests of {plan.num_tenants} tenants in "
        f"{plan.seconds / 60:,.0f} minutes: p50 {here.p50_ms:,.0f} ms, p99 "
        f"{here.p99_ms:,.0f} ms; {percent(here.share, 0)} of the tenants have "
        f"a p99 within {slo.ttft_p99_ms:,.0f} ms{gap}{wanted}."
    )


def doubts_of(plan: Plan) -> list[str]:
    """Return what follows where an assumption is otherwise, one a sentence.

    The first changes most. Raises TypeError for no Plan.
    """
    said = []
    for one in _checked(plan).assumptions:
        then = "it does not start"
        if one.outcome is not None:
            then = (
                f"p99 {one.outcome.p99_ms:,.0f} ms, "
                f"{percent(one.outcome.share, 0)} in time"
            )
        flips = "; the verdict changes" if one.flips else ""
        said.append(f"{one.instead}: {then}{flips}")
    return said


def tenant_cells(one: Tenant) -> tuple[str, ...]:
    """Return a tenant's numbers as the text of a row, without the name.

    Requests, rank, p50 and p99 in ms, whether in time, and the cause.
    """
    return (
        f"{one.num_requests:,}",
        f"{one.rank}",
        f"{one.p50_ms:,.0f}",
        f"{one.p99_ms:,.0f}",
        "yes" if one.meets_slo else "NO",
        one.cause or "",
    )


def _checked(plan: object) -> Plan:
    if not isinstance(plan, Plan):
        raise TypeError(f"plan is {shown(plan)}, but must be a Plan")
    return plan
