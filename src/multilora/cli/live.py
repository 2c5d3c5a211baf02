"""What the commands that talk to a server share."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

Url = Annotated[
    str,
    typer.Argument(
        help="The vLLM server, as http://localhost:8000.", show_default=False
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        envvar="VLLM_API_KEY", show_default=False,
        help="The key that the server's --api-key asks for.",
    ),
]  # fmt: skip


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Within it SIGTERM does what Ctrl-C does, so that we tidy up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def whole_numbers(option: str, value: str) -> tuple[int, int]:
    """Return "32,512" as (32, 512), or raise ValueError that names option."""
    parts = value.replace(" ", "").split(",")
    if len(parts) != 2 or not all(
        part.isascii() and part.isdecimal() and len(part) < 10
        for part in parts
    ):
        raise ValueError(
            f"{option} is {value!r}, but must be two whole numbers, shortest "
            "and longest, such as 32,512"
        )
    return int(parts[0]), int(parts[1])
