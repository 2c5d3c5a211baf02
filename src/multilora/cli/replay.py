"""`multilora replay`: what a log would have done on a given engine."""

import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from multilora.arguments import finite_number, integer
from multilora.cache.fast import has_numba
from multilora.cli import log_options as options
from multilora.cli import replay_show as show
from multilora.cli.app import Exit, Json, command
from multilora.cli.engine_options import (
    Calibrated,
    Engine,
    KvTokens,
    MaxCpuLoras,
    MaxLoraRank,
    MaxLoras,
    MaxNumBatchedTokens,
    MaxNumSeqs,
    Model,
    engine_of,
)
from multilora.cli.show import print_json
from multilora.logs.columns import Columns
from multilora.serving.cost import NS_PER_MS
from multilora.serving.logged import log_workload
from multilora.serving.run import ServingRun, serve
from multilora.serving.workload import Workload

SLO_MS = 500.0
WORTH_TELLING = 50_000  # requests; fewer take some seconds without numba
TRIED = 5_000
LONG_S = 10

SloMs = Annotated[
    float | None,
    typer.Option(
        "--slo-ms",
        help=f"Above this TTFT a request is late; by default {SLO_MS:g}. "
        "Where it is given and the p99 of all requests is above it, the "
        "exit status is 1.",
    ),
]
Top = Annotated[int, typer.Option("--top", help="How many tenants to show.")]
Cold = Annotated[
    bool,
    typer.Option(
        "--cold",
        help="The engine has just started: no adapter was used before. "
        "Otherwise the busiest ones are loaded already.",
    ),
]


@command
def replay(
    log_file: options.LogFile,
    max_loras: MaxLoras = None,
    max_cpu_loras: MaxCpuLoras = None,
    max_lora_rank: MaxLoraRank = None,
    max_num_seqs: MaxNumSeqs = None,
    max_num_batched_tokens: MaxNumBatchedTokens = None,
    kv_tokens: KvTokens = None,
    model: Model = None,
    calibration: Calibrated = None,
    slo_ms: SloMs = None,
    top: Top = 10,
    cold: Cold = False,
    time_column: options.TimeColumn = None,
    tenant_column: options.TenantColumn = None,
    prompt_column: options.PromptColumn = None,
    output_column: options.OutputColumn = None,
    time_unit: options.TimeUnit = None,
    prompt_tokens: options.PromptTokens = None,
    output_tokens: options.OutputTokens = None,
    base: options.BaseNames = None,
    hash_names: options.HashNames = False,
    salt: options.Salt = None,
    json: Json = False,
) -> Exit:
    """Say what a log's requests would have met on one engine, and why.

    The log is played in the simulator: who waited how long for the first
    token (TTFT), which tenants and which minute were worst, and what each
    late request waited for. Nothing is sent anywhere.

    Example: multilora replay requests.jsonl.gz --max-loras 8 --slo-ms 500
    """
    engine = engine_of(
        max_loras, max_cpu_loras, max_lora_rank, max_num_seqs,
        max_num_batched_tokens, kv_tokens, model, calibration, cold,
    )  # fmt: skip
    slo = SLO_MS if slo_ms is None else slo_ms
    slo = finite_number("--slo-ms", slo, above=0)
    top = integer("--top", top, minimum=1)
    columns = Columns(time_column, tenant_column, prompt_column, output_column)
    log = options.read_with_bar(
        log_file, columns, time_unit, prompt_tokens, output_tokens, base,
        salt, hash_names,
    )  # fmt: skip
    workload = log_workload(log)
    engine.require_fitting(workload)
    if not has_numba() and workload.num_requests > WORTH_TELLING:
        _tell_duration(engine, workload)
    run = _served(engine, workload, cold)
    answer = show.Answer(Path(log_file).name, log, engine, run, slo, top)
    if json:
        print_json(answer.as_json())
    else:
        answer.print()
    p99_ms = float(np.percentile(run.ttft_ns, 99)) / NS_PER_MS
    return Exit.NO if slo_ms is not None and p99_ms > slo_ms else Exit.YES


def _served(engine: Engine, workload: Workload, is_cold: bool) -> ServingRun:
    used = range(min(workload.num_adapters, engine.limits.max_cpu_loras))
    # The busiest tenant has id 0, and is used last.
    used_before = () if is_cold else reversed(used)
    return serve(
        workload, engine.limits, engine.cost, used_before=list(used_before)
    )


def _tell_duration(engine, workload):
    """Say on stderr how long it takes without numba, where that is long."""
    columns = [column[:TRIED] for column in workload[:4]]
    part = Workload._make([*columns, max(int(columns[1].max()), 0) + 1])
    start = time.perf_counter()
    serve(part, engine.limits, engine.cost, engine="plain")
    took = time.perf_counter() - start
    seconds = took / len(part.arrival_ns) * workload.num_requests
    if seconds < LONG_S:
        return
    about = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    print(
        f"multilora: {workload.num_requests:,} requests take about {about} "
        "without numba, a few seconds with it: pip install 'multilora[fast]'",
        file=sys.stderr,
    )
