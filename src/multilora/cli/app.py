"""The command and what all its parts share: exit codes, errors, Ctrl-C."""

import os
import sys
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from importlib import import_module
from typing import Annotated, Any

import typer

from multilora import __version__
from multilora.serving.replies import CalibrationError


class Exit(IntEnum):
    """What a script reads from `$?`; 2 is typer's own for a wrong option."""

    YES = 0
    NO = 1  # it does not start, misses the SLO, is refused
    BAD_INPUT = 2
    UNREACHABLE = 3  # a server that does not answer as vLLM does
    INTERRUPTED = 130


# Errors whose text was written for the user of the command.
SENTENCES = (ValueError, TypeError)
# In the order in which --help lists them.
PARTS: tuple[str, ...] = (
    "plan", "fit", "check", "replay", "calibrate", "verify", "diagnose",
    "canary",
)  # fmt: skip

app = typer.Typer(
    name="multilora",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[
    bool, typer.Option("--json", help="Print JSON for a script, no tables.")
]


def command(function: Callable[..., Exit]) -> Callable[..., None]:
    """Register a function as a part of the command, by its name.

    It returns an Exit. An error with a sentence for the user is printed as
    one, Ctrl-C ends with 130, and nobody sees a traceback.
    """

    @wraps(function)
    def guarded(*args: Any, **options: Any) -> None:
        try:
            status = function(*args, **options)
        except CalibrationError as error:
            status = complain(error, Exit.UNREACHABLE)
        except SENTENCES as error:
            status = complain(error, Exit.BAD_INPUT)
        except KeyboardInterrupt as stop:
            kept = f": {stop}" if str(stop) else ""
            status = complain(f"interrupted{kept}", Exit.INTERRUPTED)
        except BrokenPipeError:  # `multilora … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = Exit.YES
        raise typer.Exit(int(status))

    name = function.__name__.removesuffix("_")
    return app.command(name)(guarded)


def complain(error: object, status: Exit) -> Exit:
    """Print an error on stderr; return the exit status."""
    print(f"multilora: {error}", file=sys.stderr)
    return status


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"multilora {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:  # fmt: skip
    """Size, check and debug a vLLM engine that serves many LoRA adapters."""


def whole_app() -> typer.Typer:
    """Return the command with all its PARTS."""
    for part in PARTS:
        import_module(f"multilora.cli.{part}")
    return app


def main() -> None:
    """Run the command with the arguments of this process."""
    whole_app()()
