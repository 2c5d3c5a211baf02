"""`multilora calibrate`: what a step costs on a server that runs."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from multilora.cli import show
from multilora.cli.app import Exit, Json, command
from multilora.cli.live import ApiKey, Url, ended_in_order, whole_numbers
from multilora.serving import calibrate as measuring
from multilora.serving.calibration import (
    Calibration,
    calibration_json,
    write_calibration,
)
from multilora.serving.client import Client
from multilora.serving.cost_words import cost_rows
from multilora.serving.limits import Limits, engine_limits
from multilora.serving.served import served_adapters

# Where the server says what it runs with; vLLM 0.32.0.
_WHERE = {
    "--max-loras": "on its command line, and where it is not there it is 1",
    "--max-cpu-loras": "on its command line, and where it is not there it "
    "is --max-loras",
    "--max-num-seqs": "on its command line, and where it is not there it is "
    "1024 on a GPU of 70 GiB or more (not an A100), 256 on others",
    "--max-num-batched-tokens": "in its log, in the line 'Chunked prefill is "
    "enabled with max_num_batched_tokens='",
}
_Whole = Annotated[int | None, typer.Option(show_default=False)]


@command
def calibrate(
    url: Url,
    max_loras: _Whole = None,
    max_cpu_loras: _Whole = None,
    max_num_seqs: _Whole = None,
    max_num_batched_tokens: _Whole = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=FOLDER]", show_default=False,
            help="An adapter to probe, again for each; with its folder on "
            "the server it is loaded, and taken out again. Without the "
            "option: all that the server lists.",
        ),
    ] = None,
    prompt_tokens: Annotated[
        str, typer.Option(help="The shortest prompt and the longest.")
    ] = "32,512",
    output_tokens: Annotated[
        str, typer.Option(help="The shortest reply and the longest.")
    ] = "16,128",
    seconds: Annotated[
        float, typer.Option(help="It stops after them, whatever comes.")
    ] = 120,
    max_requests: Annotated[
        int, typer.Option(help="It sends no more than these.")
    ] = 2000,
    max_at_once: Annotated[
        int, typer.Option(help="The most requests at the same time.")
    ] = 16,
    timeout: Annotated[
        float, typer.Option(help="Seconds that an answer may be silent.")
    ] = 60,
    api_key: ApiKey = None,
    write: Annotated[
        Path, typer.Option(help="The file to write.")
    ] = Path("calibration.json"),
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file of that name.")
    ] = False,
    json: Json = False,
) -> Exit:  # fmt: skip
    """Measure what a step costs on a running vLLM server, by sending probes.

    No other traffic may reach the server meanwhile. The four numbers of the
    engine are the server's own: it does not tell them to a client.

    Example: multilora calibrate http://localhost:8000 --max-loras 8
    --max-cpu-loras 40 --max-num-seqs 256 --max-num-batched-tokens 8192
    """
    asked = {
        "--max-loras": max_loras,
        "--max-cpu-loras": max_cpu_loras,
        "--max-num-seqs": max_num_seqs,
        "--max-num-batched-tokens": max_num_batched_tokens,
    }
    limits = _limits(asked)
    lengths = (
        whole_numbers("--prompt-tokens", prompt_tokens),
        whole_numbers("--output-tokens", output_tokens),
    )
    _require_writable(write, force)
    with ended_in_order():
        found = measuring.calibrate(
            url, _adapters(adapter, url, timeout, api_key), limits, *lengths,
            seconds, max_requests, max_at_once,
            timeout_s=timeout, api_key=api_key,
        )  # fmt: skip
    write_calibration(found, write)
    if json:
        show.print_json(calibration_json(found))
    else:
        _print(found, write)
    return Exit.YES


def _limits(asked: dict[str, int | None]) -> Limits:
    for option, value in asked.items():
        if value is None:
            raise ValueError(
                f"{option} is missing: a server does not tell it. It stands "
                f"{_WHERE[option]}"
            )
    loras, copies, seqs, tokens = asked.values()
    return engine_limits(loras, seqs, tokens, copies)


def _adapters(
    adapter: list[str] | None, url: str, timeout_s: float, key: str | None
) -> dict[str, str | None]:
    if not adapter:
        client = Client(url, 1, 3600, timeout_s, key)
        return dict.fromkeys(served_adapters(client))
    found: dict[str, str | None] = {}
    for item in adapter:
        name, _, folder = item.partition("=")
        if name in found:
            raise ValueError(f"--adapter {name!r} comes twice")
        found[name] = folder or None
    return found


def _require_writable(path: Path, is_forced: bool) -> None:
    """Say now, not after minutes of probes, that a file cannot be written."""
    is_other = path.exists() and not path.is_file()
    if is_other or not os.access(path.parent, os.W_OK):
        raise ValueError(
            f"--write is {str(path)!r}, which cannot be written: name a file "
            "in a folder of yours"
        )
    if path.exists() and not is_forced:
        raise ValueError(
            f"--write is {str(path)!r}, which is there already: name another "
            "file, or give --force to write over it"
        )


def _print(found: Calibration, path: Path) -> None:
    out = show.console()
    rows = [
        (name, value, words) for name, value, words in cost_rows(found.cost)
    ]
    title = f"{found.model} on vLLM {found.engine_version}"
    drawn = show.table(["part of a step", "takes", ""], rows, escape(title))
    drawn.columns[2].justify = "left"
    out.print(drawn)
    out.print()
    errors = [(kind, f"{e:.1%}") for kind, e in found.residuals.items()]
    out.print(show.table(["probes", "half are off by less than"], errors))
    out.print()
    steady = "" if found.is_steady else (
        ": not steady, its speed changed by over 10 %. Calibrate again when "
        "nothing else runs there"
    )  # fmt: skip
    out.print(f"drift: the last probes took {found.drift:.2f} times the first"
              f"{steady}", soft_wrap=True)  # fmt: skip
    for note in found.notes:
        out.print(f"note: {escape(note)}", soft_wrap=True)
    out.print(
        f"{found.num_requests} requests, {found.num_steps} steps, "
        f"{found.seconds:.0f} s; written to {escape(str(path))}",
        soft_wrap=True,
    )
