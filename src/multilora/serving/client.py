"""Talk to a vLLM server, timed, with a limit on requests and on seconds."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

from multilora.arguments import finite_number, integer
from multilora.serving.address import checked_address, checked_key
from multilora.serving.replies import (
    CalibrationError,
    LateError,
    decoded,
    refusal,
    tokens_so_far,
)

MAX_BODY_BYTES = 64 * 2**20  # metrics of a server that has run for weeks
MAX_LINE_BYTES = 2**20
ANSWER_PATIENCES = 3  # of silence, for a whole answer
LAST_WORDS_S = 10  # for taking back what we loaded, past the deadline


class Answer(NamedTuple):
    """A status, and the body as JSON or, where it is none, as text."""

    status: int
    body: Any


class Client:
    """Requests to one server, none after max_requests or after seconds.

    url is http://host:port, /v1 behind it or not; api_key goes into the
    header that vLLM's --api-key asks for. timeout_s is how long any answer
    may be silent. num_reserved of the requests are kept for last words.
    Every request is counted before it is sent. Raises ValueError for an url
    that is none, CalibrationError for a server that does not answer.
    """

    def __init__(
        self,
        url: str,
        max_requests: int,
        seconds: float,
        timeout_s: float = 60,
        api_key: str | None = None,
    ) -> None:
        self._address = checked_address(url)
        self.url = str(self._address)
        self.max_requests = integer("max_requests", max_requests, 1, 10**6)
        self.seconds = finite_number("seconds", seconds, 0, 3600)
        self._timeout_s = finite_number("timeout_s", timeout_s, 0.1, 3600)
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {checked_key(api_key)}"
        self.started = time.perf_counter()
        self.num_requests = 0
        self.num_reserved = 0
        self._open: set[HTTPConnection] = set()
        self._lock = threading.Lock()

    @property
    def seconds_left(self) -> float:
        return self.started + self.seconds - time.perf_counter()

    @property
    def requests_left(self) -> int:
        return self.max_requests - self.num_requests - self.num_reserved

    def ask(self, path: str, body: dict | None = None) -> Answer:
        """GET path, or POST body to it; return the Answer, whatever status."""
        return self._answer(path, body, self._patience(), self.num_reserved)

    def say_last(self, path: str, body: dict) -> Answer:
        """POST one of the reserved requests, even past the deadline."""
        return self._answer(path, body, LAST_WORDS_S, 0)

    def stream(
        self, model: str, prompt: Sequence[int], num_tokens: int
    ) -> Iterator[tuple[float, int]]:
        """Ask for num_tokens after a prompt of token ids; yield as they come.

        First (moment of the send, 0), then (moment, tokens so far), moments
        by time.perf_counter().
        """
        body = {
            "model": model, "prompt": list(prompt), "max_tokens": num_tokens,
            "stream": True, "ignore_eos": True, "temperature": 0,
            "stream_options": {
                "include_usage": True, "continuous_usage_stats": True,
            },
        }  # fmt: skip
        data = json.dumps(body)
        connection = self._connect(self._patience(), self.num_reserved)
        try:
            sent = time.perf_counter()
            # Closed here, or its socket outlives the connection.
            with self._send(connection, "/v1/completions", data) as response:
                yield sent, 0
                if response.status != 200:
                    told = decoded(response.read(MAX_BODY_BYTES))
                    status = response.status
                    raise CalibrationError(refusal(model, status, told))
                yield from self._tokens(response)
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            # A closed response loses its parts: AttributeError, ValueError.
            raise self._lost(error) from None
        finally:
            self._close(connection)

    def close(self) -> None:
        """End every request that is under way, from any thread."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            sock = connection.sock
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is closed already

    def _patience(self):
        if self.seconds_left <= 0:
            raise self.late()
        return min(self._timeout_s, self.seconds_left)

    def late(self) -> LateError:
        """Return the error of who is still waiting at the deadline."""
        return LateError(
            f"the server at {self.url} was still answering when the "
            f"{self.seconds:g} s were over: give more seconds, or shorter "
            "prompts and replies"
        )

    def _connect(self, patience, num_reserved) -> HTTPConnection:
        with self._lock:
            if self.num_requests + num_reserved >= self.max_requests:
                raise CalibrationError(
                    f"all {self.max_requests} requests are used up: give "
                    "more max_requests"
                )
            self.num_requests += 1
            connection = self._address.connection(patience)
            self._open.add(connection)
        try:
            connection.connect()
        except OSError as error:
            self._close(connection)
            raise CalibrationError(
                f"no server answers at {self.url} ({_reason(error)}): start "
                "it, or correct the url"
            ) from None
        return connection

    def _send(self, connection, path, data=None):
        method = "GET" if data is None else "POST"
        where = self._address.prefix + path
        connection.request(method, where, data, self._headers)
        return connection.getresponse()

    def _answer(self, path, body, patience, num_reserved):
        connection = self._connect(patience, num_reserved)
        data = None if body is None else json.dumps(body)
        try:
            with self._send(connection, path, data) as response:
                told = decoded(self._body(response, path))
                return Answer(response.status, told)
        except (OSError, HTTPException, ValueError) as error:
            raise self._lost(error) from None
        finally:
            self._close(connection)

    def _body(self, response, path):
        """Return an answer's body, unless it drips and never ends."""
        until = time.perf_counter() + ANSWER_PATIENCES * self._timeout_s
        parts, size = [], 0
        while size < MAX_BODY_BYTES and (part := response.read1(2**16)):
            parts.append(part)
            size += len(part)
            if time.perf_counter() > until:
                raise CalibrationError(
                    f"the server at {self.url} has not ended its answer to "
                    f"{path} after {ANSWER_PATIENCES * self._timeout_s:g} s: "
                    "is it vLLM itself?"
                )
        return b"".join(parts)

    def _tokens(self, response):
        num = 0
        while line := response.readline(MAX_LINE_BYTES):
            now = time.perf_counter()
            if self.seconds_left <= 0:
                raise self.late()
            if line.strip() == b"data: [DONE]":
                return
            if line.strip():
                num = tokens_so_far(line.strip(), num)
                yield now, num
        raise ConnectionError("the stream ended before its end")

    def _close(self, connection):
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _lost(self, error):
        if isinstance(error, TimeoutError):
            if self.seconds_left <= 0:
                return self.late()
            return CalibrationError(
                f"the server at {self.url} was silent for "
                f"{self._timeout_s:g} s: look at its log, or give a larger "
                "timeout_s"
            )
        return CalibrationError(
            f"the server at {self.url} broke off ({_reason(error)}): see in "
            "its log why, start it again, then try again"
        )


def _reason(error):
    told = getattr(error, "strerror", None) or str(error) or repr(error)
    # It may hold a line of whoever answered.
    return "".join(c if c.isprintable() else " " for c in told[:200]).strip()
