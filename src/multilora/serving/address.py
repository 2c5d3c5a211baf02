"""Where a server is, and how it is connected to."""

from http.client import HTTPConnection, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from multilora.arguments import shown, text

ALLOWED = "http://host:port, or https://"


class Address(NamedTuple):
    """A scheme, a host, a port or None, and the path before /v1."""

    scheme: str
    host: str
    port: int | None
    prefix: str

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{port}{self.prefix}"

    def connection(self, timeout_s: float) -> HTTPConnection:
        """Return a connection that is not open yet."""
        kind = HTTPSConnection if self.scheme == "https" else HTTPConnection
        return kind(self.host, self.port, timeout=timeout_s)


def checked_address(url: str) -> Address:
    """Return the Address of an url, /v1 at its end or not.

    Raises ValueError for what is no http:// or https:// address.
    """
    sentence = f"url is {shown(url)}, but must be {ALLOWED}"
    try:
        parts = urlsplit(text("url", url).strip())
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ValueError(sentence) from None
    is_plain = url.isascii() and url.isprintable() and " " not in url.strip()
    if parts.scheme not in ("http", "https") or not host or not is_plain:
        raise ValueError(sentence)
    prefix = parts.path.rstrip("/").removesuffix("/v1")
    return Address(parts.scheme, host, port, prefix)


def checked_key(api_key: str) -> str:
    """Return a key that fits into a header, or raise ValueError."""
    if not text("api_key", api_key).isprintable() or not api_key.isascii():
        raise ValueError("api_key must be one line of ASCII")
    return api_key
