"""What Python tells the page while it runs."""

import json
from collections.abc import Callable

Listener = Callable[[str, str], object]
_listeners: list[Listener] = []


def attach(listener: Listener) -> None:
    """Let a listener have each message: its kind, and its value as JSON.

    It replaces the one before. Outside a page nobody listens.
    """
    _listeners[:] = [listener]


def detach() -> None:
    """Let nobody listen any more."""
    _listeners.clear()


def tell(kind: str, value: object) -> None:
    """Send a message to the page: "out", "error", "block" or "progress".

    Raises TypeError for a value that JSON does not hold.
    """
    text = json.dumps(value)
    for listener in _listeners:
        listener(kind, text)
