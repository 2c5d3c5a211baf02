"""`multilora plan`: which engines, slots and dials serve this traffic."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from multilora.arguments import finite_number
from multilora.cli import log_options as logs
from multilora.cli.app import Exit, Json, command, complain
from multilora.cli.plan_case import Asked, asked
from multilora.cli.plan_engines import (
    PANEL,
    Engines,
    Spare,
    as_options,
    engines_asked,
)
from multilora.cli.plan_show import print_cards, print_plan
from multilora.cli.show import print_json
from multilora.logs.columns import Columns
from multilora.logs.read import example_log_path
from multilora.models.versions import DEFAULT_VERSION
from multilora.plan.answer import Plan, Slo
from multilora.plan.drawn import SHAPES
from multilora.plan.make import make_plan
from multilora.plan.search import MAX_ENGINES, NoPlanError
from multilora.plan.workers import workers_of

EXAMPLE = {"model": "Llama-3.1-8B", "card": "80"}
BASE, LOAD, DIALS = "The base and the card", "The traffic", "The engine"
_SHAPES = "; ".join(f"{name}: {words}" for name, words in SHAPES.items())


def _option(name: str, words: str, panel: str = DIALS):
    return typer.Option(name, help=words, rich_help_panel=panel)


@command
def plan(
    log_file: Annotated[
        Path | None,
        typer.Argument(metavar="[LOG]", help="Requests; or --tenants."),
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Plan for the log we ship.")
    ] = False,
    model: Annotated[
        str | None,
        _option("--model", "A folder, a config.json, a Hugging Face id or a "
                "short name such as Llama-3.1-8B.", BASE),
    ] = None,
    card: Annotated[
        list[str] | None,
        _option("--card", "Each GPU: 80 is one sold as 80 GB, 79.1 its GiB, "
                "H100 a name. Repeatable: the best of them is taken.", BASE),
    ] = None,
    adapters: Annotated[
        Path | None,
        _option("--adapters", "A folder of PEFT folders; tenants by their "
                "names.", BASE),
    ] = None,
    ranks: Annotated[
        str | None,
        _option("--ranks", "16 for all, or 16x36,64x4: ranks and how many.",
                BASE),
    ] = None,
    config_json: Annotated[
        Path | None, _option("--config-json", "If it is not at hand.", BASE)
    ] = None,
    tenants: Annotated[
        int | None, _option("--tenants", "How many, without a log.", LOAD)
    ] = None,
    rate: Annotated[
        float, _option("--rate", "Requests a second of all of them.", LOAD)
    ] = 3.0,
    shape: Annotated[
        str,
        _option("--shape", _SHAPES, LOAD),
    ] = "zipf",
    minutes: Annotated[float, _option("--minutes", "How long.", LOAD)] = 60,
    ttft_p99: Annotated[
        float,
        _option("--ttft-p99", "The promise: each tenant's p99 of the time to "
                "a first token, in ms."),
    ] = 1000,
    share: Annotated[
        float, _option("--share", "Of the tenants that must meet it, 0 to 1.")
    ] = 1,
    itl_p99: Annotated[
        float | None,
        _option("--itl-p99", "And the gap between tokens, in ms: the p99 over "
                "a tenant's requests of their mean gap."),
    ] = None,
    tensor_parallel_size: Annotated[
        int, _option("--tensor-parallel-size", "GPUs of one engine.")
    ] = 1,
    engines: Engines = "auto",
    spare: Spare = 0,
    max_engines: Annotated[
        int, _option("--max-engines", "Stop the search there.", PANEL)
    ] = MAX_ENGINES,
    workers: Annotated[
        str, _option("--workers", "Where settings are tried: so many "
                     "processes, auto (a Ray cluster that runs, else all "
                     "cores), ray://local or ray://host:port.")
    ] = "1",
    max_model_len: Annotated[
        int | None, _option("--max-model-len", "Else by the traffic.")
    ] = None,
    max_num_batched_tokens: Annotated[
        int | None, _option("--max-num-batched-tokens", "Else it is searched.")
    ] = None,
    max_num_seqs: Annotated[
        int | None, _option("--max-num-seqs", "Else it is searched.")
    ] = None,
    gpu_memory_utilization: Annotated[
        float | None, _option("--gpu-memory-utilization", "By default vLLM's.")
    ] = None,
    quantization: Annotated[
        str | None, _option("--quantization", "As in vLLM.")
    ] = None,
    kv_cache_dtype: Annotated[
        str, _option("--kv-cache-dtype", "As in vLLM.")
    ] = "auto",
    fully_sharded_loras: Annotated[
        bool, _option("--fully-sharded-loras", "As in vLLM.")
    ] = False,
    host_gib: Annotated[
        float | None,
        _option("--host-gib", "Host memory for an engine's max_cpu_loras; by "
                "default enough for all."),
    ] = None,
    vllm_version: Annotated[
        str, _option("--vllm-version", "The release that will run.")
    ] = DEFAULT_VERSION,
    calibration: Annotated[
        Path | None,
        _option("--calibration", "What `multilora calibrate` wrote."),
    ] = None,
    cost_of: Annotated[
        str | None, _option("--cost-of", "Or those fitted for this model.")
    ] = None,
    slower: Annotated[
        float, _option("--slower", "Your card's steps take so many times as "
                       "long.")
    ] = 1,
    time_column: logs.TimeColumn = None,
    tenant_column: logs.TenantColumn = None,
    prompt_column: logs.PromptColumn = None,
    output_column: logs.OutputColumn = None,
    time_unit: logs.TimeUnit = None,
    prompt_tokens: logs.PromptTokens = None,
    output_tokens: logs.OutputTokens = None,
    base: logs.BaseNames = None,
    hash_names: logs.HashNames = False,
    salt: logs.Salt = None,
    top: Annotated[int, typer.Option("--top", help="Tenants to show.")] = 8,
    write: Annotated[
        Path | None,
        typer.Option("--write", help="Write the answer's files into a folder: "
                     "serve lines, Compose, Kubernetes, load test, report."),
    ] = None,
    json: Json = False,
) -> Exit:  # fmt: skip
    """Find the fewest engines, and every dial, that keep a promise.

    Each setting is played in the simulator with your traffic, so the answer
    is a p99 by tenant, not a hit rate. Exit status: 0 the promise is kept,
    1 it is not or no engine starts.

    Example: multilora plan requests.csv --model Llama-3.1-8B --card 80
    --ttft-p99 500 --write answer
    """
    if example:
        log_file = log_file or example_log_path()
        model, card = model or EXAMPLE["model"], card or [EXAMPLE["card"]]
    if model is None or not card:
        raise ValueError("--model and --card are needed, or --example alone")
    log = None
    if log_file is not None:
        columns = Columns(
            time_column, tenant_column, prompt_column, output_column
        )
        log = logs.read_with_bar(
            log_file, columns, time_unit, prompt_tokens, output_tokens, base,
            salt, hash_names,
        )  # fmt: skip
    drawn = {
        "shape": shape, "num_tenants": tenants, "rate": rate,
        "minutes": minutes, "prompt_tokens": prompt_tokens or 512,
        "output_tokens": output_tokens or 128,
    }  # fmt: skip
    options = {
        "tensor_parallel_size": tensor_parallel_size,
        "max_model_len": max_model_len,
        "max_num_batched_tokens": max_num_batched_tokens,
        "max_num_seqs": max_num_seqs,
        "gpu_memory_utilization": gpu_memory_utilization,
        "quantization": quantization,
        "kv_cache_dtype": kv_cache_dtype,
        "fully_sharded_loras": fully_sharded_loras,
        "vllm_version": vllm_version,
    }
    costs = {"calibration": calibration, "cost_of": cost_of, "slower": slower}
    promise = _promise(ttft_p99, share, itl_p99)
    num_engines, spare = engines_asked(engines, spare)
    wanted = {"workers": workers_of(workers), "max_engines": max_engines,
              "num_engines": num_engines,
              "spare": spare}  # fmt: skip
    plans: list[tuple[str, Plan | None]] = []
    for name in dict.fromkeys(card):
        question = asked(
            model, name, log, drawn, adapters, ranks, promise, costs,
            config_json, host_gib, options,
        )  # fmt: skip
        plans.append((name, _planned(question, wanted)))
    found = best_plan([plan for _, plan in plans if plan])
    if found is not None and write is not None:
        from multilora.cli.write import write_answer

        write_answer(found, write)
    if len(plans) > 1:
        print_cards(plans, is_json=json)
    elif found is not None and json:
        print_json(found.model_dump(mode="json"))
    if found is None:
        return Exit.NO
    if not json:
        print_plan(found, top, write)
    return Exit.YES if found.is_met else Exit.NO


def best_plan(plans: Sequence[Plan]) -> Plan | None:
    """Return the plan that keeps the promise with the fewest engines.

    Of equals the first; where none keeps it, the one with most in time.
    """
    return min(
        plans,
        key=lambda one: (
            not one.is_met,
            0 if one.is_met else -one.outcome.share,
            len(one.engines),
        ),
        default=None,
    )


def _promise(ttft_p99, share, itl_p99):
    if itl_p99 is not None:
        finite_number("--itl-p99", itl_p99, above=0, maximum=1e9)
    return Slo(
        ttft_p99_ms=finite_number(
            "--ttft-p99", ttft_p99, above=0, maximum=1e9
        ),
        share=finite_number("--share", share, 0, 1),
        itl_ms=itl_p99,
    )


def _planned(question: Asked, wanted: Mapping) -> Plan | None:
    """Plan, with a line that moves where stderr is a terminal.

    None, and a sentence on stderr, where no engine starts.
    """
    stderr = Console(stderr=True)
    try:
        if not stderr.is_terminal:
            found = make_plan(question.case, **wanted)
        else:
            told = wanted["workers"].told
            with stderr.status("planning") as line:
                found = make_plan(
                    question.case,
                    progress=lambda said: line.update(f"{said}{told}"),
                    **wanted,
                )
    except NoPlanError as error:
        complain(error, Exit.NO)
        return None
    except ValueError as error:
        raise ValueError(as_options(str(error))) from error
    return found.model_copy(update={"notes": found.notes + question.notes})
