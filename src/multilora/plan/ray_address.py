"""Where somebody says that Ray is."""

import re
from typing import NamedTuple

CLIENT_PORT = 10001
_CLIENT = re.compile(r"ray://(\[[^\]]+\]|[^/:\s]+)(?::(\d{1,5}))?/?")


class Address(NamedTuple):
    """Where Ray is; host None: it is started here and stopped again."""

    host: str | None
    port: int = CLIENT_PORT
    is_client: bool = True

    @property
    def told(self) -> str:
        """The address as somebody asks for it."""
        if self.host is None:
            return "ray://local"
        return f"{'ray://' * self.is_client}{self.host}:{self.port}"


def address_of(asked: str) -> Address | None:
    """Return the Address that "ray://…" means, None for anything else."""
    match = _CLIENT.fullmatch(asked)
    if match is None:
        return None
    if match[1] == "local" and match[2] is None:
        return Address(None)
    return address_at(match[1], match[2] or CLIENT_PORT, is_client=True)


def address_at(host: str, port: int | str, is_client: bool) -> Address | None:
    """Return the Address of a host and its port, None for no port."""
    port = int(port)
    return Address(host, port, is_client) if 0 < port < 65_536 else None
