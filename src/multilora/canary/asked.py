"""What a canary is to ask a server, checked before it asks."""

from collections.abc import Iterable, Mapping, Sequence

from multilora.arguments import items, shown, text
from multilora.serving.client import Client
from multilora.serving.replies import CalibrationError
from multilora.serving.served import Served, look_at

MAX_PROMPT_CHARS = 100_000
LEFT_OUT = {
    "logprobs": "the server gives no logprobs: answers are compared as "
    "text, and float noise cannot be told apart",
    "cache_salt": "the server takes no cache_salt: answers alone may "
    "come from KV blocks that others left",
}


def checked_texts(name: str, values: Iterable[str]) -> list[str]:
    """Return texts, at least one, none empty or twice, or raise an error."""
    found = items(name, values, str)
    if not found or not all(found):
        raise ValueError(
            f"{name} is {shown(found)}, but must hold texts, none empty"
        )
    for value in found:
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError(f"{name} holds {shown(value)}, which is no text")
    if len(set(found)) < len(found):
        raise ValueError(f"{name} is {shown(found)}, one comes twice")
    longest = max(map(len, found))
    if longest > MAX_PROMPT_CHARS:
        raise ValueError(
            f"{name} holds one of {longest:,} characters, but at most "
            f"{MAX_PROMPT_CHARS:,} are taken"
        )
    return found


def checked_folders(load: Mapping[str, str] | None) -> dict[str, str]:
    """Return {name: folder on the server}; None is none."""
    if load is None:
        return {}
    if not isinstance(load, Mapping):
        raise TypeError(
            f"load is {shown(load)}, but must map names to folders"
        )
    for name, folder in load.items():
        if not text("load", name) or not text(f"load[{name!r}]", folder):
            raise ValueError(f"load is {shown(load)}, but holds an empty text")
    return dict(load)


def looked_at(
    client: Client,
    wanted: Sequence[str] | None,
    folders: Mapping[str, str],
    most: int,
) -> tuple[Served, list[str]]:
    """Return what is served, with the adapters to ask, and notes.

    wanted None are the first `most` that the server lists. Raises
    CalibrationError for a server without adapters, ValueError for a name in
    folders that is served already; else as look_at.
    """
    served = look_at(client, dict.fromkeys(wanted or ()))
    notes = []
    if wanted is None:
        served = served._replace(adapters=list(served.loras[:most]))
        left = len(served.loras) - len(served.adapters)
        if left > 0:
            notes.append(
                f"{left} of {len(served.loras)} adapters were not asked: "
                "name them, or allow more"
            )
    if not served.adapters and not folders:
        raise CalibrationError(
            f"the server at {client.url} serves no adapter: start it with "
            "--enable-lora and --lora-modules, or name one to load"
        )
    taken = [name for name in folders if name in served.names]
    if taken:
        raise ValueError(
            f"load names {shown(taken[0])}, which the server has already: "
            "give it another name"
        )
    return served, notes
