"""Places in vLLM's LoRA code, in the order in which a request meets them."""

from typing import NamedTuple

from multilora.arguments import choice
from multilora.published import published


class Anchor(NamedTuple):
    """One place: a class, function or constant, or a line inside one.

    file is relative to the vllm package. says is a piece of the line that
    is meant, where it is not the definition of symbol itself.
    """

    key: str
    file: str
    symbol: str
    line: int
    what: str
    says: str | None = None

    @property
    def place(self) -> str:
        """file:line symbol, as the pages print it."""
        return f"{self.file}:{self.line} {self.symbol}"


def version() -> str:
    """Return the version of vLLM that the lines belong to."""
    return published("anchors")["version"]


def stops() -> dict[str, str]:
    """Return {stop: its title}, in the order of the walk."""
    return {
        item["stop"]: item["title"] for item in published("anchors")["stops"]
    }


def anchors(stop: str | None = None) -> list[Anchor]:
    """Return the Anchors of one stop, or of all.

    Raises ValueError for a stop that is not one of stops().
    """
    if stop is not None:
        choice("stop", stop, stops())
    return [
        Anchor(**row)
        for item in published("anchors")["stops"]
        if stop in (None, item["stop"])
        for row in item["anchors"]
    ]


def anchor(key: str) -> Anchor:
    """Return the Anchor of a key; ValueError lists the keys there are."""
    found = {item.key: item for item in anchors()}
    return found[choice("key", key, found)]
