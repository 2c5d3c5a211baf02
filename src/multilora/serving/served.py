"""What a vLLM server serves: its base, its adapters, loaded by us or not."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from multilora.arguments import items, shown, text
from multilora.serving.client import Client
from multilora.serving.replies import CalibrationError, message_of

RUNTIME = "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"
LEAST_ADAPTERS = 2
WORDS = (
    "The names of all users in a list, one line each: first the oldest, then "
    "whoever came later; 0 1 2 3 4 5 6 7 8 9 apples, rivers and stones?"
)


class Served(NamedTuple):
    """A server's base and version, the adapters to probe, and all names.

    loras are those of the names that are adapters, in the server's order.
    """

    base: str
    version: str
    adapters: list[str]
    max_model_len: int | None
    names: frozenset[str]
    loras: tuple[str, ...] = ()


def checked_adapters(
    adapters: Iterable[str] | Mapping[str, str | None],
) -> dict[str, str | None]:
    """Return {name: folder on the server, or None where it is served}.

    Raises ValueError for fewer than two names, or one that comes twice.
    """
    if isinstance(adapters, Mapping):
        found = dict(adapters)
    else:
        names = items("adapters", adapters, str)
        found = dict.fromkeys(names)
        if len(found) < len(names):
            raise ValueError(f"adapters is {shown(names)}, a name comes twice")
    for name, folder in found.items():
        if not text("adapters", name):
            raise ValueError("adapters holds an empty name")
        if folder is not None:
            found[name] = text(f"adapters[{name!r}]", str(folder))
    if len(found) < LEAST_ADAPTERS:
        raise ValueError(
            f"adapters is {shown(list(found))}, but must name at least two: "
            "what one more adapter costs shows only beside another"
        )
    return found


def served_adapters(client: Client) -> list[str]:
    """Return the names of all adapters that a vLLM server serves, sorted.

    Raises CalibrationError for a server that wants a key or is not vLLM's.
    """
    models = client.ask("/v1/models")
    _require_key(client, models.status)
    try:
        cards = items("data", models.body["data"], dict)
        names = {text("id", c["id"]) for c in cards if c.get("parent")}
    except (TypeError, KeyError, ValueError):
        raise CalibrationError(
            f"{client.url} answers {models.status} to /v1/models, not as "
            "vLLM's server does: give the url of vLLM itself, not of a proxy "
            "or another engine"
        ) from None
    return sorted(names)


def look_at(client: Client, adapters: Mapping[str, str | None]) -> Served:
    """Return what a server serves. It must be vLLM's, and have LoRA.

    Raises CalibrationError for a server of another kind, or an adapter that
    is neither served nor has a folder; ValueError for the base among them.
    """
    version = client.ask("/version")
    models = client.ask("/v1/models")
    _require_key(client, models.status)
    try:
        number = text("version", version.body["version"])
        cards = items("data", models.body["data"], dict)
        parents = {text("id", c["id"]): c.get("parent") for c in cards}
        base = next(n for n, parent in parents.items() if parent is None)
        longest = next(
            c.get("max_model_len") for c in cards if c["id"] == base
        )
    except (TypeError, KeyError, ValueError, StopIteration):
        raise CalibrationError(
            f"{client.url} answers {version.status} to /version and "
            f"{models.status} to /v1/models, not as vLLM's server does: "
            "give the url of vLLM itself, not of a proxy or another engine"
        ) from None
    unknown = [
        n for n, f in adapters.items() if f is None and n not in parents
    ]
    if unknown:
        served = [n for n, parent in parents.items() if parent is not None]
        raise CalibrationError(
            f"the server at {client.url} serves no adapter {unknown[0]!r}, "
            f"but {', '.join(served) or 'none'}: start it with --enable-lora "
            "and --lora-modules, or give the adapter's folder on the server"
        )
    if base in adapters:
        raise ValueError(
            f"adapters names {base!r}, which is the base of this server"
        )
    longest = longest if isinstance(longest, int) else None
    names = frozenset(parents)
    loras = tuple(name for name in parents if parents[name] is not None)
    return Served(base, number, list(adapters), longest, names, loras)


def _require_key(client: Client, status: int) -> None:
    if status in (401, 403):
        raise CalibrationError(
            f"the server at {client.url} answers {status} to /v1/models: it "
            "wants its API key, and this one is none or another"
        )


def words(client: Client, base: str) -> list[int]:
    """Return token ids of plain words, for prompts; the server makes them."""
    body = {"model": base, "prompt": WORDS, "add_special_tokens": False}
    answer = client.ask("/tokenize", body)
    try:
        tokens = sorted(set(items("tokens", answer.body["tokens"], int)))
    except (TypeError, KeyError):
        tokens = []
    if answer.status != 200 or len(tokens) < 2:
        raise CalibrationError(
            f"the server at {client.url} answers {answer.status} to /tokenize "
            f"({message_of(answer.body)}): prompts are made of its own tokens"
        )
    return tokens


class Loaded:
    """Adapters that we load into a server, and take out again at the end."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ours: list[str] = []

    def load(self, adapters: Mapping[str, str | None], served: Served) -> None:
        """Load each adapter with a folder that is not served yet.

        Raises CalibrationError where the server refuses.
        """
        wanted = {
            name: folder
            for name, folder in adapters.items()
            if folder is not None and name not in served.names
        }
        self._client.num_reserved = len(wanted)
        for name, folder in wanted.items():
            self._ours.append(name)  # now: an interrupt may come before 200
            answer = self._client.ask(
                "/v1/load_lora_adapter",
                {"lora_name": name, "lora_path": folder},
            )
            if answer.status != 200:
                raise CalibrationError(_refused(self._client, name, answer))

    def unload(self, name: str | None = None) -> list[str]:
        """Take one of ours, or all, out; return a sentence for each left."""
        stayed = []
        leaving = self._ours[::-1] if name is None else [name]
        for name in leaving:
            self._ours.remove(name)
            try:
                answer = self._client.say_last(
                    "/v1/unload_lora_adapter", {"lora_name": name}
                )
            except CalibrationError as error:
                stayed.append(f"{name} may still be loaded: {error}")
                continue
            if answer.status not in (200, 404):  # 404: it never got there
                stayed.append(
                    f"{name} is still loaded: {message_of(answer.body)}"
                )
        return stayed


def _refused(client, name, answer):
    if answer.status == 404 and "lora" not in message_of(answer.body).lower():
        return (
            f"the server at {client.url} loads no adapters at run time: set "
            f"{RUNTIME} where it starts, or name adapters that it serves"
        )
    return (
        f"the server at {client.url} refuses to load {name} "
        f"({answer.status}: {message_of(answer.body)}): fix the folder, or "
        "name adapters that it serves"
    )
