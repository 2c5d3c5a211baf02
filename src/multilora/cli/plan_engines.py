"""The options of `multilora plan` on several engines."""

import re
from typing import Annotated

import typer

from multilora.arguments import shown
from multilora.plan.make import MOST_ENGINES

PANEL = "The engines"
Engines = Annotated[
    str,
    typer.Option(
        "--engines",
        help="auto: the fewest that keep the promise. Or exactly so many.",
        rich_help_panel=PANEL,
    ),
]
Spare = Annotated[
    int,
    typer.Option(
        "--spare",
        help="1: keep the promise while any one engine is lost, too.",
        rich_help_panel=PANEL,
    ),
]


def engines_asked(engines: str, spare: int) -> tuple[int | None, int]:
    """Return (number of engines or None for auto, spare), both checked.

    Raises ValueError for another word, a number out of range, or a spare
    beside one engine.
    """
    num = None
    if engines != "auto":
        is_number = engines.isascii() and engines.isdigit()
        num = int(engines[:9]) if is_number else 0
        if not 1 <= num <= MOST_ENGINES:
            raise ValueError(
                f"--engines is {shown(engines)}, but must be auto or a "
                f"number from 1 to {MOST_ENGINES:,}"
            )
    if spare not in (0, 1):
        raise ValueError(f"--spare is {spare}, but must be 0 or 1")
    if spare and num == 1:
        raise ValueError(
            "--spare is 1 and --engines is 1: with the only engine lost "
            "nobody is served; take 2 engines or more, or auto"
        )
    return num, spare


def as_options(said: str) -> str:
    """Return what make_plan says of its arguments, of the options instead."""
    said = re.sub(r"(?<!-)\bspare is", "--spare is", said)
    return said.replace("num_engines", "--engines").replace(
        "max_engines", "--max-engines"
    )
