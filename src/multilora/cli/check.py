"""`multilora check`: can these adapters be served on this base."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from multilora.adapters.preflight import Checked, Preflight, preflight
from multilora.cli.app import Exit, Json, command
from multilora.cli.show import console, plain, print_json, table
from multilora.models.named import shape_named
from multilora.models.versions import DEFAULT_VERSION
from multilora.units import MIB, percent

_MOST_SAID = 20  # sentences below the table; --json has all
_STYLES = {"refused": "red", "applied in part": "yellow", "served": "green"}
_COLUMNS = (
    "adapter",
    "rank",
    "scaling",
    "MiB",
    "applied",
    "modules",
    "notes",
    "",
)


@command
def check(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Adapters' folders, or folders that hold some."),
    ],
    base: Annotated[
        str,
        typer.Option(
            help="The base: a folder or config.json, a Hugging Face id, or "
            "a short name such as Llama-3.1-8B."
        ),
    ],
    max_lora_rank: Annotated[
        int | None,
        typer.Option(
            help="The engine's. By default the smallest that all ranks fit "
            "into."
        ),
    ] = None,
    vllm_version: Annotated[
        str, typer.Option(help="The version of vLLM that will serve them.")
    ] = DEFAULT_VERSION,
    base_sha256: Annotated[
        str | None,
        typer.Option(
            help="The base's fingerprint, which each adapter must carry in "
            "base_sha256.txt."
        ),
    ] = None,
    headers_only: Annotated[
        bool,
        typer.Option(
            "--headers-only",
            help="Look at no weights: quicker, and enough where only the "
            "first bytes of each file were fetched.",
        ),
    ] = False,
    json: Json = False,
) -> Exit:
    """Check adapters before an engine loads them, the worst first.

    It reads the files as vLLM would, and says what vLLM refuses, and what
    vLLM loads and does not apply. Exit status: 0 all can be served, 1 at
    least one is refused, 2 the options are wrong.

    Example: multilora check adapters/ --base Llama-3.1-8B
    """
    shape, origin = shape_named(base)
    with _progress() as tell:
        found = preflight(
            folders,
            shape,
            max_lora_rank,
            base_sha256,
            vllm_version=vllm_version,
            headers_only=headers_only,
            tell=tell,
        )
    if json:
        print_json(_as_json(found, base, vllm_version))
    else:
        _print(found, vllm_version, origin)
    is_whole = found.num_served == len(found.adapters)
    return Exit.YES if is_whole else Exit.NO


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("checking", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _as_json(found: Preflight, base: str, vllm_version: str) -> dict:
    return {
        "base": base,
        "vllm_version": vllm_version,
        "max_lora_rank": found.max_lora_rank,
        "num_served": found.num_served,
        "num_refused": len(found.adapters) - found.num_served,
        "adapters": [asdict(one) for one in found.adapters],
    }


def _print(found: Preflight, vllm_version: str, origin: str) -> None:
    out = console()
    out.print(table(_COLUMNS, map(_row, found.adapters)))
    said = _sentences(found.adapters)
    for sentence, style in said[:_MOST_SAID]:
        out.print(f"- {sentence}", style=style, soft_wrap=True, markup=False)
    if len(said) > _MOST_SAID:
        out.print(f"- and {len(said) - _MOST_SAID} more: see --json")
    out.print(
        f"{found.told()} by vLLM {vllm_version} with --max-lora-rank "
        f"{found.max_lora_rank} ({origin})",
        style="bold", soft_wrap=True, markup=False,
    )  # fmt: skip


def _row(one: Checked) -> tuple[str, ...]:
    style = _STYLES[one.verdict]
    verdict = f"[{style}]{one.verdict}[/]"
    if not one.is_served:
        return plain(one.name), "", "", "", "", "", "", verdict
    return (
        plain(one.name),
        f"{one.rank}",
        f"{one.scaling:.4g}",
        f"{(one.num_bytes or 0) / MIB:.1f}",
        percent(one.share_applied or 0),
        plain(_short(one.targets)),
        str(len(one.notes) or ""),
        verdict,
    )


def _short(targets: tuple[str, ...]) -> str:
    """The modules of a file by name, or how many there are."""
    names = " ".join(targets)
    return names if len(names) <= 32 else f"{len(targets)} modules"


def _sentences(adapters: tuple[Checked, ...]) -> list[tuple[str, str]]:
    """(sentence, style) of what is wrong; one that many share, once."""
    shared = defaultdict(list)
    for one in adapters:
        style = _STYLES[one.verdict] if not one.is_served else ""
        for said in (one.why, *one.notes):
            if said:
                own = said.removeprefix(one.name).lstrip(": ")
                shared[own, style].append(one.name)
    return [
        (plain(f"{_names(names)}: {said}", is_markup=False), style)
        for (said, style), names in shared.items()
    ]


def _names(names: list[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} others"
