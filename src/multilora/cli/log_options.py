"""The options of every command that reads a log, and how it is read."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
)

from multilora.arguments import integer
from multilora.logs.columns import Columns
from multilora.logs.read import Log, read_log
from multilora.traffic.lengths import MAX_TOKENS

PANEL = "How the log is read"


def _option(name, words):
    return typer.Option(name, help=words, rich_help_panel=PANEL)


LogFile = Annotated[
    Path,
    typer.Argument(
        metavar="LOG",
        help="CSV, TSV, JSON lines or a JSON array; may be gzipped.",
    ),
]
TimeColumn = Annotated[
    str | None, _option("--time-column", "The column of times.")
]
TenantColumn = Annotated[
    str | None,
    _option("--tenant-column", "The column that says who asked."),
]
PromptColumn = Annotated[
    str | None, _option("--prompt-column", "The column of prompt tokens.")
]
OutputColumn = Annotated[
    str | None, _option("--output-column", "The column of output tokens.")
]
TimeUnit = Annotated[
    str | None,
    _option("--time-unit", "s, ms, us or ns, where times count from 0."),
]
PromptTokens = Annotated[
    int | None,
    _option("--prompt-tokens", "Prompt tokens where the log has none."),
]
OutputTokens = Annotated[
    int | None,
    _option("--output-tokens", "Output tokens where the log has none."),
]
BaseNames = Annotated[
    list[str] | None,
    _option("--base", "A tenant's name that is the base model. Repeatable."),
]
HashNames = Annotated[
    bool,
    _option("--hash-names", "Show 12 hex digits instead of each name."),
]
Salt = Annotated[
    str | None,
    _option("--salt", "With --hash-names: the same digits in every run."),
]


def read_with_bar(
    path: Path,
    columns: Columns,
    time_unit: str | None = None,
    prompt_tokens: int | None = None,
    output_tokens: int | None = None,
    base_names: list[str] | None = None,
    salt: str | None = None,
    is_hashed: bool = False,
) -> Log:
    """Return the Log of a file, with a bar where stderr is a terminal."""
    for name, num in (
        ("--prompt-tokens", prompt_tokens), ("--output-tokens", output_tokens)
    ):  # fmt: skip
        if num is not None:
            integer(name, num, 1, MAX_TOKENS)
    if salt is not None and not is_hashed:
        raise ValueError("--salt is given, but --hash-names is not")
    stderr = Console(stderr=True)
    bar = Progress(
        "reading", BarColumn(), DownloadColumn(), TimeRemainingColumn(),
        console=stderr, transient=True, disable=not stderr.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=None)
        return read_log(
            path, columns, time_unit, prompt_tokens, output_tokens,
            base_names or (), salt, is_hashed=is_hashed,
            progress=lambda num, total: bar.update(
                task, completed=num, total=total
            ),
        )  # fmt: skip
