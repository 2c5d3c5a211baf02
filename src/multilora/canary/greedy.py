"""Greedy answers of a vLLM server, one alone or several at once."""

import json
import math
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from multilora.arguments import items
from multilora.serving.client import Answer, Client
from multilora.serving.replies import CalibrationError, message_of

T = TypeVar("T")
Prompt = str | list[int]
POLL_S = 0.001
NO_LOGPROB = -9999.0  # what vLLM itself says for minus infinity
# What an older server, or a stricter one, may refuse to know.
EXTRAS = {"logprobs": 2, "cache_salt": ""}
LEFT_OUT: tuple[tuple[str, ...], ...] = (
    (), ("cache_salt",), ("logprobs",), ("logprobs", "cache_salt"),
)  # fmt: skip


class Reply(NamedTuple):
    """A greedy answer, token by token.

    margins say by how much each token was likelier than the next best one,
    in logprobs. Where the server gives no logprobs, both are empty; where it
    refuses to, tokens are characters.
    """

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...] = ()
    margins: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.tokens)


class Greedy:
    """Asks for greedy answers of num_tokens each, whatever ends them.

    The end of a text is ignored, for an empty answer shows nothing.
    """

    def __init__(self, client: Client, num_tokens: int) -> None:
        self.client = client
        self.num_tokens = num_tokens
        self.extras = dict(EXTRAS)
        self._num_salts = 0
        self._salt = f"canary-{uuid.uuid4().hex}"
        self._lock = threading.Lock()

    def agree(self, model: str, prompt: Prompt) -> list[str]:
        """Ask until the server takes it; return what was left out."""
        for left_out in LEFT_OUT:
            self.extras = {
                k: v for k, v in EXTRAS.items() if k not in left_out
            }
            try:
                self.ask(model, prompt)
                return list(left_out)
            except RefusedError as error:
                is_other = error.status not in (400, 422)
                if is_other or left_out == LEFT_OUT[-1]:
                    raise
        raise AssertionError("the last one returns or raises")

    def ask(
        self,
        model: str,
        prompt: Prompt,
        shares_cache: bool = False,
        num_tokens: int | None = None,
    ) -> Reply:
        """Return a model's answer, by default with a KV cache of its own.

        num_tokens None are those that all answers have.
        Raises CalibrationError for a server that refuses or breaks off.
        """
        num_tokens = self.num_tokens if num_tokens is None else num_tokens
        body: dict[str, Any] = {
            "model": model, "prompt": prompt, "max_tokens": num_tokens,
            "temperature": 0, "seed": 0, "ignore_eos": True, **self.extras,
        }  # fmt: skip
        if "cache_salt" in body:
            body["cache_salt"] = self._next_salt()
            if shares_cache:
                del body["cache_salt"]
        answer = self.client.ask("/v1/completions", body)
        if answer.status != 200:
            raise RefusedError(model, answer)
        return reply_of(answer.body)

    def ask_together(self, asked: Sequence[tuple[str, Prompt]]) -> list[Reply]:
        """Return the answers to (model, prompt) that are sent at once."""
        tasks = [lambda one=one: self.ask(*one) for one in asked]
        return together(self.client, tasks)

    def _next_salt(self):
        with self._lock:
            self._num_salts += 1
            return f"{self._salt}-{self._num_salts}"


class RefusedError(CalibrationError):
    """A completion was refused; status is HTTP's."""

    def __init__(self, model: str, answer: Answer) -> None:
        hint = (
            "give the api_key that it was started with"
            if answer.status in (401, 403)
            else "shorten the prompts, or look at its log"
        )
        super().__init__(
            f"the server answers {answer.status} to a request for {model!r} "
            f"({message_of(answer.body)}): {hint}"
        )
        self.status = answer.status


def reply_of(body: object) -> Reply:
    """Return a completion's Reply; raise CalibrationError where it is none."""
    try:
        choice = body["choices"][0]  # type: ignore[index]
        told = choice.get("logprobs")
        if told is None:
            return Reply(tuple(_text(choice["text"])))
        tokens = tuple(items("tokens", told["tokens"], str))
        logprobs = tuple(_number(x) for x in told["token_logprobs"])
        best = told["top_logprobs"]
        if not len(tokens) == len(logprobs) == len(best):
            raise ValueError("lengths")
        if NO_LOGPROB in logprobs:  # null or NaN: nothing to compare by
            return Reply(tokens)
        margins = (
            _margin(*one) for one in zip(tokens, logprobs, best, strict=True)
        )
        return Reply(tokens, logprobs, tuple(margins))
    except (TypeError, KeyError, IndexError, ValueError, AttributeError):
        raise CalibrationError(
            f"the server answers {_shortened(body)} to /v1/completions, "
            "which is no completion: is it vLLM's OpenAI server, without a "
            "proxy?"
        ) from None


def together(
    client: Client,
    tasks: Sequence[Callable[[], T]],
    over: threading.Event | None = None,
) -> list[T]:
    """Return what tasks return that run at once, in threads of their own.

    Raises the first error of any; whatever is raised, none is left under
    way. over is set at the end: it tells tasks that go on until then.
    """
    gate = threading.Barrier(len(tasks))
    voices = [_Voice(task, gate) for task in tasks]
    try:
        for voice in voices:
            voice.start()
        while any(voice.is_alive() for voice in voices):
            _raise_first(voices)
            time.sleep(POLL_S)
        _raise_first(voices)
    finally:
        if over is not None:
            over.set()
        gate.abort()
        while alive := [voice for voice in voices if voice.is_alive()]:
            client.close()  # it may have connected since
            alive[0].join(POLL_S)
    return [voice.result for voice in voices]


class _Voice(threading.Thread, Generic[T]):
    result: T

    def __init__(self, task: Callable[[], T], gate: threading.Barrier):
        super().__init__(daemon=True)
        self._task, self._gate = task, gate
        self.error: BaseException | None = None

    def run(self):
        try:
            self._gate.wait()
            self.result = self._task()
        except BaseException as error:
            self.error = error


def _raise_first(voices):
    for voice in voices:
        if voice.error is not None:
            raise voice.error


def _margin(token, logprob, best):
    others = [_number(x) for name, x in (best or {}).items() if name != token]
    return max(0.0, logprob - max(others)) if others else math.inf


def _number(value):
    value = NO_LOGPROB if value is None else float(value)
    return value if math.isfinite(value) else NO_LOGPROB


def _text(value):
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _shortened(body):
    said = body if isinstance(body, str) else json.dumps(body, default=repr)
    said = " ".join(said.split())
    return said if len(said) <= 60 else said[:60] + "…"
