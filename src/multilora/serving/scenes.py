"""A few requests at once to a real server, and when their tokens came."""

import threading
import time
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from multilora.serving.client import Client
from multilora.serving.replies import CalibrationError

POLL_S = 0.001
SETTLED = 2  # steps between a joiner's end and the next one's send


class Call(NamedTuple):
    """A request of a probe, and the loads that its first step must make."""

    model: str
    num_prompt_tokens: int
    num_tokens: int
    num_slot_loads: int = 0
    num_disk_loads: int = 0


class Scene(NamedTuple):
    """Runners, sent at once; joiners, one after the other while they run.

    A scene without runners only brings its joiners' adapters in.
    """

    kind: str
    runners: tuple[Call, ...]
    joiners: tuple[Call, ...] = ()

    @property
    def num_requests(self) -> int:
        return len(self.runners) + len(self.joiners)


class Heard(NamedTuple):
    """A call, when it was sent, and its (moment, tokens so far), in s."""

    call: Call
    sent: float
    tokens: list[tuple[float, int]]


def play(
    client: Client, scene: Scene, vocabulary: Sequence[int], seed: int
) -> list[Heard]:
    """Send a scene's requests, wait for their ends; return what came.

    Prompts are drawn from the token ids of vocabulary, so that no prefix is
    cached. Raises the CalibrationError of the first request that fails;
    whatever is raised, none is left under way.
    """
    rng = np.random.default_rng(seed)

    def voice(call):
        prompt = rng.choice(vocabulary, call.num_prompt_tokens).tolist()
        return _Voice(client, call, prompt)

    runners = [voice(call) for call in scene.runners]
    voices = list(runners)
    try:
        for runner in runners:
            runner.start()
        _wait_until(
            client, voices, lambda: all(r.num_heard >= 2 for r in runners)
        )
        for call in scene.joiners:
            voices.append(joiner := voice(call))
            joiner.start()
            _wait_until(client, voices, lambda: not joiner.is_alive())
            _let_pass(client, voices, runners)
        _wait_until(
            client, voices, lambda: not any(v.is_alive() for v in voices)
        )
    finally:
        for item in voices:
            while item.is_alive():
                client.close()  # it may have connected since
                item.join(POLL_S)
    return [item.heard for item in voices]


class _Voice(threading.Thread):
    """A request in a thread of its own."""

    def __init__(self, client, call, prompt):
        super().__init__(daemon=True)
        self._client, self._call, self._prompt = client, call, prompt
        self._moments: list[tuple[float, int]] = []
        self.error: BaseException | None = None

    def run(self):
        call = self._call
        try:
            for item in self._client.stream(
                call.model, self._prompt, call.num_tokens
            ):
                self._moments.append(item)
            if self._moments[-1][1] != call.num_tokens:
                raise CalibrationError(
                    f"the server sent {self._moments[-1][1]} tokens where "
                    f"{call.num_tokens} were asked for: is it vLLM's own "
                    "server, and is max_model_len large enough?"
                )
        except BaseException as error:
            self.error = error

    @property
    def num_heard(self):
        """How many pieces have come; many where no more will."""
        return len(self._moments) - 1 if self.is_alive() else inf

    @property
    def heard(self):
        (sent, _), *tokens = self._moments
        fresh, before = [], 0
        for moment, num in tokens:
            if num > before:
                fresh.append((moment, num))
            before = num
        return Heard(self._call, sent, fresh)


def _wait_until(client, voices, is_over):
    """Wait, and raise what any request raised, or that the time is over."""
    while True:
        ended = is_over()
        for voice in voices:
            if voice.error is not None:
                raise voice.error
        if ended:
            return
        if client.seconds_left <= 0:
            raise client.late()
        time.sleep(POLL_S)


def _let_pass(client, voices, runners):
    """Wait until each runner has had a few more tokens, or has ended."""
    marks = [(runner, runner.num_heard + SETTLED) for runner in runners]
    _wait_until(
        client, voices, lambda: all(r.num_heard >= n for r, n in marks)
    )
