"""`multilora verify`: a plan's traffic on a live server, beside the plan."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from multilora.cli import show
from multilora.cli.app import Exit, Json, command
from multilora.cli.live import ApiKey, Url, ended_in_order
from multilora.cli.verdict import print_verdict, verdict_json
from multilora.plan.answer import engine_of
from multilora.plan.stored import read_plan
from multilora.serving.calibration import read_calibration
from multilora.serving.prediction import predict
from multilora.verify.generator import python_with_vllm, send
from multilora.verify.measured import ENOUGH, Verdict, verdict
from multilora.verify.planned import (
    LOST,
    planned_limits,
    planned_traffic,
)
from multilora.verify.ready import ready


@command
def verify(
    plan: Annotated[
        Path, typer.Argument(help="The plan.json.", show_default=False)
    ],
    url: Url,
    engine: Annotated[
        int, typer.Option(help="Which engine of the plan runs there.")
    ] = 1,
    seconds: Annotated[
        float, typer.Option(help="For how long requests are sent.")
    ] = 60,
    max_requests: Annotated[
        int, typer.Option(help="It sends no more than these.")
    ] = 2000,
    calibration: Annotated[
        Path | None,
        typer.Option(
            show_default=False,
            help="A file of `multilora calibrate`: the same requests are "
            "also simulated.",
        ),
    ] = None,
    vllm: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="The python, or the vllm, of an environment with vLLM 0.32; "
            "its load generator sends. Without it: the vllm on the PATH.",
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="The base's folder or name on a hub, for the prompts. "
            "Without it: the plan's model.",
        ),
    ] = None,
    is_warm: Annotated[
        bool,
        typer.Option("--warm/--cold", help="Ask each adapter once before."),
    ] = True,
    seed: Annotated[int, typer.Option(help="Of the requests' draw.")] = 0,
    timeout: Annotated[
        float,
        typer.Option(help="Seconds to wait beyond the last request sent."),
    ] = 300,
    api_key: ApiKey = None,
    json: Json = False,
) -> Exit:  # fmt: skip
    """Send an engine of a plan its traffic; print measured beside planned.

    vLLM's own load generator sends. The exit status is 0 where the server
    meets the plan's SLO, 1 where it does not.

    Example: multilora verify plan.json http://localhost:8000 --engine 1
    """
    found = read_plan(plan)
    traffic = planned_traffic(found, engine, seconds, max_requests, seed)
    measured = calibration and read_calibration(calibration)
    python = python_with_vllm(vllm)
    with ended_in_order():
        live = ready(url, traffic, found, engine, is_warm, timeout, api_key)
        _say(
            f"{traffic.workload.num_requests} requests of "
            f"{len(traffic.tenants)} tenants in {traffic.seconds:.0f} s"
        )
        sent = send(
            live.url, live.models, traffic.workload,
            tokenizer or found.model, python, api_key, timeout, _say,
        )  # fmt: skip
    one = engine_of(found, engine)
    result = verdict(traffic, sent, one, found.slo)
    simulated = measured and predict(
        measured, traffic.workload, planned_limits(found, engine),
        live.used if is_warm else (),
    )  # fmt: skip
    notes = [*live.notes, *_notes(result, sent.errors), *LOST]
    if json:
        show.print_json(verdict_json(found, result, simulated, notes))
    else:
        print_verdict(found, result, simulated, notes)
    return Exit.YES if result.is_met else Exit.NO


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _notes(result: Verdict, errors: tuple[str, ...]) -> list[str]:
    notes = []
    if result.num_failed:
        first = next(error for error in errors if error)
        notes.append(f"the first request that failed: {first}")
    few = sum(row.num_requests < ENOUGH for row in result.rows)
    if few:
        notes.append(
            f"{few} of {len(result.rows)} tenants sent fewer than {ENOUGH} "
            "requests: their p99 is next to their slowest request. More "
            "--seconds tell more"
        )
    return notes
