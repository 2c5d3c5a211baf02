"""A plan as a person reads it: answer, line, why, memory, tenants, doubts."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from multilora.cli.bars import memory_bar
from multilora.cli.plan_show_engines import print_engines, print_routers
from multilora.cli.show import PAGE_WIDTH, console, plain, print_json, table
from multilora.deploy.serve_args import serve_line
from multilora.plan.answer import Neighbour, Outcome, Plan
from multilora.plan.verdict import doubts_of, tenant_cells, verdict_of
from multilora.units import percent


def print_plan(plan: Plan, top: int, folder: Path | None) -> None:
    """Print the whole answer; folder is where its files were written."""
    out = console()
    _print_answer(out, plan)
    _print_line(out, plan)
    if len(plan.engines) > 1:
        print_engines(out, plan)
        print_routers(out, plan)
    _print_why(out, plan)
    _print_memory(out, plan)
    _print_tenants(out, plan, top)
    _print_doubts(out, plan)
    if folder is not None:
        out.print(f"\nThe answer as files: {folder} (README.txt first)",
                  soft_wrap=True, markup=False)  # fmt: skip


def _say(out: Console, text: str, style: str = "") -> None:
    out.print(plain(text, False), style=style, width=PAGE_WIDTH, markup=False)


def print_cards(
    plans: Sequence[tuple[str, Plan | None]], is_json: bool
) -> None:
    """Print a row a card, or all plans; None: no engine starts there."""
    if is_json:
        rows = [
            {"card": name, "plan": plan and plan.model_dump(mode="json")}
            for name, plan in plans
        ]
        print_json({"cards": rows})
        return
    rows = [
        (
            f"--card {name}",
            "none starts" if plan is None else f"{len(plan.engines)}",
            *(("", "", "") if plan is None else (
                f"{plan.engines[0].setting.max_loras}",
                f"{plan.outcome.p99_ms:,.0f}",
                f"{percent(plan.outcome.share, 0)}"
                + ("" if plan.is_met else " (NOT kept)"),
            )),
        )
        for name, plan in plans
    ]  # fmt: skip
    out = console()
    out.print(table(("", "engines", "slots", "p99 ms", "in time"), rows))
    out.print()


def _print_answer(out: Console, plan: Plan) -> None:
    verdict, met = verdict_of(plan)
    _say(out, verdict, "bold")
    _say(out, met)


def _print_line(out: Console, plan: Plan) -> None:
    settings = {engine.setting for engine in plan.engines}
    out.print()
    out.print(serve_line(_few_modules(plan), 1), soft_wrap=True, markup=False)
    if len(plan.engines) > 1:
        alike = "all alike" if len(settings) == 1 else "some with other values"
        _say(out, f"This is engine 1 of {len(plan.engines)}, {alike}; --write "
             "gives each of them, and who is on which.")  # fmt: skip


def _few_modules(plan: Plan) -> Plan:
    """The same without --lora-modules, which --write has."""
    bare = [
        engine.model_copy(
            update={
                "tenants": tuple(
                    tenant.model_copy(update={"folder": None})
                    for tenant in engine.tenants
                ),
                "backups": (),
            }
        )
        for engine in plan.engines
    ]
    return plan.model_copy(update={"engines": tuple(bare)})


def _print_why(out: Console, plan: Plan) -> None:
    out.print("\nWhy: the same with one dial moved", style="bold")
    rows = [("as above", *_cells(plan.outcome))]
    rows += [
        (f"{one.dial} {one.value:,}", *_cells(one.outcome))
        for one in _ordered(plan.neighbours)
    ]
    out.print(table(("", "p50 ms", "p99 ms", "hits", "in time"), rows))


def _ordered(neighbours: tuple[Neighbour, ...]) -> list[Neighbour]:
    return sorted(neighbours, key=lambda one: one.dial == "engines")


def _cells(outcome: Outcome | None) -> tuple[str, ...]:
    if outcome is None:
        return "may not start", "", "", ""
    return (
        f"{outcome.p50_ms:,.0f}",
        f"{outcome.p99_ms:,.0f}",
        percent(outcome.hit_rate, 0),
        percent(outcome.share, 0),
    )


def _print_memory(out: Console, plan: Plan) -> None:
    memory = plan.engines[0].memory
    out.print()
    out.print(memory_bar(memory), width=PAGE_WIDTH)
    _say(
        out,
        f"{memory.kv_tokens_low:,} to {memory.kv_tokens_high:,} KV tokens "
        "remain; the plan uses the low end.",
    )


def _print_tenants(out: Console, plan: Plan, top: int) -> None:
    shown = plan.tenants[:top]
    out.print(f"\nTenants with the highest p99, {len(shown)} of "
              f"{plan.num_tenants}", style="bold")  # fmt: skip
    rows = [
        (
            plain(one.name if len(one.name) <= 24 else f"{one.name[:23]}…"),
            *tenant_cells(one),
        )
        for one in shown
    ]
    columns = ("", "requests", "rank", "p50 ms", "p99 ms", "in time", "cause")
    out.print(table(columns, rows))


def _print_doubts(out: Console, plan: Plan) -> None:
    out.print("\nWhat would change the answer, the first thing first",
              style="bold")  # fmt: skip
    for doubt in doubts_of(plan):
        _say(out, f"- {doubt}")
    out.print("\nNotes", style="bold")
    _say(out, f"- times of a step: {plan.cost}")
    for note in plan.notes:
        _say(out, f"- {note}")
