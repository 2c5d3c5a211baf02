"""`multilora canary`: do the answers of a live server change in company?"""

from typing import Annotated

import typer
from rich.console import Console

from multilora.arguments import finite_number, integer, shown
from multilora.canary.run import PROMPTS
from multilora.canary.run import canary as listen
from multilora.cli import canary_show as show
from multilora.cli.app import Exit, Json, command
from multilora.cli.show import plain, print_json

URL = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="vLLM's own address, http://host:port; behind a load balancer "
        "ask each engine itself.",
    ),
]
Adapters = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter", help="An adapter to ask, repeatable; by default all."
    ),
]
MaxAdapters = Annotated[
    int, typer.Option("--max-adapters", help="Where all: the first so many.")
]
Load = Annotated[
    list[str] | None,
    typer.Option(
        "--load",
        metavar="NAME=FOLDER",
        help="Load this adapter while the others answer, and take it out "
        "again; a folder on the server, repeatable. The server needs "
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True.",
    ),
]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        help="A prompt to ask, repeatable. The default ones are neutral; "
        "those of your own tenants show more.",
    ),
]
MaxTokens = Annotated[
    int, typer.Option("--max-tokens", help="Tokens of each answer.")
]
Repeats = Annotated[
    int,
    typer.Option(
        "--repeats", help="How often each prompt is asked in batches."
    ),
]
Seconds = Annotated[
    float, typer.Option("--seconds", help="Give up after this time.")
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key", envvar="VLLM_API_KEY",
        help="The key that the server was started with.",
    ),
]  # fmt: skip


@command
def canary(
    url: URL,
    adapter: Adapters = None,
    max_adapters: MaxAdapters = 8,
    load: Load = None,
    prompt: Prompts = None,
    max_tokens: MaxTokens = 24,
    repeats: Repeats = 3,
    seconds: Seconds = 600,
    api_key: ApiKey = None,
    json: Json = False,
) -> Exit:
    """Ask a server the same alone and in company: do its answers change?

    Greedy answers of the base and of each adapter are compared: alone, in a
    batch of all, after others with the same prompt, while an adapter is
    loaded; and with each other, for an adapter that is not applied answers
    as the base. The order of float additions depends on the batch, so that
    answers may change a little on a healthy server. How much is measured
    in batches of one model, and only a larger change counts, where it comes
    in every repeat or is another model's own answer.

    Ask a server that has no other traffic: other requests are company too,
    and a load may disturb them as any load does.

    Exit status: 0 nothing found, 1 something found or no verdict, 3 no
    vLLM server answers.

    Example: multilora canary http://localhost:8000 --prompt "Hello, I am"
    """
    arguments = (
        url, adapter or None, _folders(load), tuple(prompt or PROMPTS),
        integer("--max-tokens", max_tokens, 1, 1024),
        integer("--repeats", repeats, 1, 100),
        integer("--max-adapters", max_adapters, 1, 64),
        finite_number("--seconds", seconds, maximum=3600, above=0),
    )  # fmt: skip
    stderr = Console(stderr=True)
    if stderr.is_terminal:  # a line that moves
        with stderr.status("looking at the server") as line:
            found = listen(
                *arguments,
                api_key=api_key,
                progress=lambda said: line.update(plain(said)),
            )
    else:
        found = listen(*arguments, api_key=api_key)
    if json:
        print_json(show.as_json(found))
    else:
        show.print_canary(found)
    return Exit.YES if found.is_healthy else Exit.NO


def _folders(load):
    folders = {}
    for item in load or ():
        name, equals, folder = item.partition("=")
        if not (name and equals and folder):
            raise ValueError(
                f"--load is {shown(item)}, but must be NAME=FOLDER"
            )
        if name in folders:
            raise ValueError(f"--load names {shown(name)} twice")
        folders[name] = folder
    return folders
