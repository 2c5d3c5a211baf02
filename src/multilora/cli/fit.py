"""`multilora fit`: does this line start on this card."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from multilora.cli.app import Exit, Json, command
from multilora.cli.bars import memory_bar
from multilora.cli.show import console, print_json, table
from multilora.line.fit import SURE, Fit
from multilora.line.fit import fit as fit_of
from multilora.line.read import serve_line
from multilora.line.words import MAX_LETTERS
from multilora.memory.cards import card_gib
from multilora.models.named import shape_named
from multilora.models.versions import DEFAULT_VERSION


@command
def fit(
    line: Annotated[
        str,
        typer.Argument(
            help="The line as you have it, in quotes: vllm serve …, "
            "python -m vllm.entrypoints.openai.api_server …, or docker run …; "
            "- reads it from stdin."
        ),
    ],
    card: Annotated[
        str,
        typer.Option(
            help="Each GPU: 80 is a card sold as 80 GB, 79.1 its GiB, H100 "
            "or L4 a name."
        ),
    ],
    request_tokens: Annotated[
        list[int] | None,
        typer.Option(
            help="Say how many requests of this many tokens, prompt and "
            "reply, fit at once; may be repeated."
        ),
    ] = None,
    config_json: Annotated[
        Path | None,
        typer.Option(help="The model's config.json, if it is not at hand."),
    ] = None,
    vllm_version: Annotated[
        str, typer.Option(help="The version of vLLM that runs the line.")
    ] = DEFAULT_VERSION,
    json: Json = False,
) -> Exit:
    """Say whether a line that starts vLLM starts on a card.

    It tells the KV tokens that remain, how many requests they hold at once,
    and what to change where the line does not start. Nothing is run and
    nothing is fetched. Exit status: 0 it starts, 1 it does not or may not,
    2 the line is wrong.

    Example: multilora fit "vllm serve Llama-3.1-8B --enable-lora
    --max-loras 8 --max-lora-rank 64" --card 80
    """
    said = sys.stdin.read(MAX_LETTERS + 1) if line == "-" else line
    read = serve_line(said, vllm_version)
    gib, taken = card_gib(card)
    shape, origin = shape_named(read.model, config_json)
    answer = fit_of(read, shape, gib, request_tokens or ())
    notes = (f"--card {card}: {taken}", origin, *answer.notes)
    answer = answer.model_copy(update={"notes": notes})
    if json:
        print_json(answer.model_dump(mode="json"))
    else:
        _print(answer)
    return Exit.YES if answer.verdict == SURE else Exit.NO


def _print(answer: Fit) -> None:
    out = console()
    out.print(_headline(answer), style="bold", soft_wrap=True, markup=False)
    for reason in answer.reasons:
        out.print(f"  {reason}", soft_wrap=True, markup=False)
    out.print()
    out.print(memory_bar(answer.memory), soft_wrap=True)
    if any(row.high for row in answer.requests):
        out.print(
            "\nRequests that the KV cache holds at once (max_num_seqs is "
            f"{answer.max_num_seqs:,}):",
            soft_wrap=True,
        )
        out.print(_requests(answer))
    if answer.changes:
        out.print("\nEach of these alone makes it start:", soft_wrap=True)
        out.print(_changes(answer))
    out.print()
    for note in answer.notes:
        out.print(f"- {note}", soft_wrap=True, markup=False)


def _headline(answer: Fit) -> str:
    memory, gpus = answer.memory, answer.num_gpus
    on = f"{gpus} GPUs of {answer.card_gib} GiB each" if gpus > 1 else (
        f"a GPU of {answer.card_gib} GiB"
    )  # fmt: skip
    said = f"It {answer.verdict} on {on}, vLLM {answer.vllm_version}"
    if not memory.kv_tokens_high:
        return f"{said}."
    span = _span(memory.kv_tokens_low, memory.kv_tokens_high)
    return f"{said}: {span} KV tokens."


def _requests(answer: Fit) -> Table:
    rows = [
        (f"{row.tokens:,}", _span(row.low, row.high))
        for row in answer.requests
    ]
    return table(("tokens of each", "requests"), rows)


def _changes(answer: Fit) -> Table:
    rows = [
        (
            change.argument,
            _span(change.kv_tokens_low, change.kv_tokens_high),
            change.at_cost,
        )
        for change in answer.changes
    ]
    return table(("change", "KV tokens", "at the cost of"), rows)


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
