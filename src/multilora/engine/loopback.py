"""Ask what runs on this machine over HTTP: is it there, do this."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException

from multilora.arguments import shown

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60


class ServerError(RuntimeError):
    """A server or router did not start, or answered with an error.

    status is the HTTP status, or None when there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def is_answering(address: str) -> bool:
    """True if a GET of the address is answered with 200."""
    try:
        urllib.request.urlopen(address, timeout=5).read()
    except (OSError, HTTPException):
        return False
    return True


def get(address: str) -> bytes:
    """Return what a GET is answered with; raise ServerError if not 200."""
    return _answer(urllib.request.Request(address))


def post(address: str, body: dict) -> bytes:
    """Return what a POST of JSON is answered with, or raise ServerError."""
    request = urllib.request.Request(
        address,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    return _answer(request)


def _answer(request):
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE_SECONDS).read()
    except urllib.error.HTTPError as error:
        answer = error.read().decode(errors="replace")
        raise ServerError(_message(answer), error.code) from None
    except (OSError, HTTPException) as error:
        raise ServerError(
            f"no answer from {request.full_url}: {error}"
        ) from None


def _message(answer):
    try:
        found = json.loads(answer)
        return found.get("error", found)["message"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return shown(answer)
