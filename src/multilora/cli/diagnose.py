"""`multilora diagnose`: which rows of the operator's table fit a server."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from multilora.arguments import finite_number, integer
from multilora.cli import show
from multilora.cli.app import Exit, Json, command
from multilora.cli.live import ApiKey
from multilora.watch.findings import Finding, fitting
from multilora.watch.metrics import fetch_scrape, read_scrape
from multilora.watch.scrapes import Scrape
from multilora.watch.seen import Seen, look
from multilora.watch.symptoms import UNSEEN, plain

MAX_SCRAPES, MAX_EVERY_S = 100, 600


@command
def diagnose(
    url: Annotated[
        str | None,
        typer.Argument(
            show_default=False,
            help="The vLLM server, as http://localhost:8000.",
        ),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            show_default=False,
            help="A page of /metrics saved before, again for each, the oldest "
            "first; instead of a server.",
        ),
    ] = None,
    num: Annotated[int, typer.Option(help="How often to look.")] = 3,
    every: Annotated[
        float, typer.Option(help="Seconds between two looks.")
    ] = 5,
    slo_ms: Annotated[
        float, typer.Option(help="A first token later than this is late.")
    ] = 500,
    max_num_seqs: Annotated[
        int | None,
        typer.Option(help="The server's, if you know it.", show_default=False),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds that an answer may take.")
    ] = 10,
    api_key: ApiKey = None,
    json: Json = False,
) -> Exit:  # fmt: skip
    """Look at a server's /metrics; print the symptoms that fit.

    It only reads. Each symptom comes with what speaks for it, the likely
    cause and what to change first. The exit status is 0, whatever is found.

    Example: multilora diagnose http://localhost:8000 --num 5 --every 10
    """
    finite_number("--slo-ms", slo_ms, above=0)
    if file and url is None:
        scrapes = [read_scrape(path) for path in file]
        # Saved pages tell no time; the newest line of LoRA is close to it.
        active = scrapes[-1].active()
        now_s = active.at_s if active else 0.0
    elif url is not None and not file:
        scrapes = _looks(url, num, every, timeout, api_key)
        now_s = time.time()
    else:
        raise ValueError("give either the url of a server, or --file")
    seen = look(scrapes, now_s)
    found = fitting(scrapes, slo_ms, max_num_seqs, now_s)
    if json:
        show.print_json(_as_json(seen, found, len(scrapes)))
    else:
        _print(seen, found, len(scrapes))
    return Exit.YES


def _looks(
    url: str, num: int, every_s: float, timeout_s: float, key: str | None
) -> list[Scrape]:
    num = integer("--num", num, 1, MAX_SCRAPES)
    every_s = finite_number("--every", every_s, 0, MAX_EVERY_S)
    scrapes = []
    for place in range(num):
        if place:
            time.sleep(every_s)
        scrapes.append(fetch_scrape(url, key, timeout_s))
        print(f"look {place + 1} of {num}", file=sys.stderr, flush=True)
    return scrapes


def _notes(seen: Seen, num: int) -> list[str]:
    notes = []
    if seen.is_restarted:
        notes.append(
            "the server was started again between two looks: what came "
            "before is left out"
        )
    if len(seen.running) == 1:
        notes.append(
            "one look shows what runs and waits now; what changes shows "
            "between two"
        )
    if seen.max_loras is None:
        notes.append(
            "it serves no LoRA, or has had no request with an adapter: it "
            "says nothing of lora_requests_info"
        )
    elif any(seen.deferred) and max(seen.names) < seen.max_loras:
        notes.append(
            "requests are deferred, and fewer adapters run than there are "
            "slots: KV transfers and grammars count there too"
        )
    if num and not seen.ttft.num and len(seen.running) > 1:
        notes.append("no first token came between the looks")
    return notes


def _as_json(seen: Seen, found: list[Finding], num: int) -> dict[str, Any]:
    gauges = ("running", "waiting", "deferred", "capacity", "kv", "names")
    return {
        "num_scrapes": num,
        "is_restarted": seen.is_restarted,
        "max_loras": seen.max_loras,
        **{name: list(getattr(seen, name)) for name in gauges},
        "num_first_tokens": seen.ttft.num,
        "num_prompt_tokens": seen.num_prompt_tokens,
        "num_preemptions": seen.num_preemptions,
        "fitting": [
            {
                "key": row.key,
                "symptom": row.symptom,
                "evidence": evidence,
                "cause": row.cause,
                "change_first": row.change_first,
                "shown": [link.to for link in row.shown],
            }
            for row, evidence in found
        ],
        "notes": _notes(seen, num),
        "not_shown": list(UNSEEN),
    }


def _print(seen: Seen, found: list[Finding], num: int) -> None:
    out = show.console()
    columns = ["", *(f"look {k + 1}" for k in range(len(seen.running)))]
    rows = {
        "running": seen.running,
        "waiting": seen.waiting,
        "  deferred": seen.deferred,
        "  for capacity": seen.capacity,
        "KV in use": [f"{share:.0%}" for share in seen.kv],
        "adapters that run": seen.names,
    }
    table = [[name, *values] for name, values in rows.items()]
    out.print(show.table(columns, table))
    slots = "unknown" if seen.max_loras is None else seen.max_loras
    out.print(
        f"slots (max_lora): {slots}; between the looks "
        f"{seen.ttft.num:,} first tokens, {seen.num_prompt_tokens:,} prompt "
        "tokens",
        soft_wrap=True,
    )
    for note in _notes(seen, num):
        out.print(f"note: {escape(note)}", soft_wrap=True)
    for row, evidence in found:
        out.print()
        out.print(f"[bold]{escape(plain(row.symptom))}[/bold]")
        lines = {
            "seen": evidence,
            "likely": row.cause,
            "change": row.change_first,
            "shown": ", ".join(link.to for link in row.shown),
        }
        for name, text in lines.items():
            out.print(f"  {name:7} {escape(plain(text))}", soft_wrap=True)
    if not found:
        out.print("\n[bold]nothing that these metrics show[/bold]")
    out.print("\nvLLM's metrics never show:")
    for line in UNSEEN:
        out.print(f"  {escape(line)}", soft_wrap=True)
