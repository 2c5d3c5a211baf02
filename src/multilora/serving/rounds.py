"""Rounds of scenes until the time is over, and the first ones again."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from multilora.serving import probes
from multilora.serving.calibration import MAX_DRIFT
from multilora.serving.client import Client
from multilora.serving.limits import Limits
from multilora.serving.replies import CalibrationError, LateError
from multilora.serving.scenes import Scene, play
from multilora.serving.served import Served
from multilora.serving.ticks import timed_steps
from multilora.serving.timed import TimedStep

ASIDE = 1.5  # of the time that the last probes took, kept for them


class Session(NamedTuple):
    """A server that is being probed."""

    client: Client
    served: Served
    limits: Limits
    vocabulary: list[int]
    seed: int
    progress: Callable[[str], object]

    def played(self, scene: Scene) -> list[TimedStep]:
        """Play a scene; return the steps that it shows."""
        seed = self.seed + self.client.num_requests
        heard = play(self.client, scene, self.vocabulary, seed)
        budget = self.limits.max_num_batched_tokens
        return timed_steps(scene.kind, heard, self.served.base, budget)


class Found(NamedTuple):
    """Steps of the checks at the start and at the end, and of all rounds."""

    before: list[TimedStep]
    after: list[TimedStep]
    every: list[TimedStep]


def play_rounds(session: Session, plan: list[Scene]) -> Found:
    """Play rounds while time and requests last, then the checks again.

    The first round is played whole. Raises CalibrationError where the time
    is over before.
    """
    client, last = session.client, probes.checks(plan)
    took: dict[Scene, float] = {}
    first: list[TimedStep] = []
    every: list[TimedStep] = []
    num_kept = num_requests(last)

    def can_play(scene):
        kept_s = ASIDE * sum(took[item] for item in last)
        has_time = client.seconds_left > ASIDE * took[scene] + kept_s
        num = scene.num_requests + num_kept
        return has_time and client.requests_left >= num

    for scene in plan:
        steps = _timed(session, scene, took)
        every += steps
        first += steps if scene in last else []
    _report(session, every)
    while True:
        for scene in plan:
            if not can_play(scene):
                again = _check(session, last, took)
                return Found(first, again, every + again)
            every += _timed(session, scene, took)
        _report(session, every)


def drift_of(found: Found) -> float:
    """Return the time of steps alike, after over before."""
    before, after = _typical(found.before), _typical(found.after)
    both = before.keys() & after.keys()
    total = {
        name: sum(typical[key][0] * before[key][1] for key in both)
        for name, typical in (("before", before), ("after", after))
    }
    if not both:
        raise CalibrationError(
            "the last probes show no step that the first ones show: is other "
            "traffic on this server? Calibrate it alone"
        )
    ratio = total["after"] / total["before"]
    return min(max(ratio, 1 / MAX_DRIFT), MAX_DRIFT)


def _typical(steps):
    """Return {what was in a step: (its median, how many)}."""
    alike = defaultdict(list)
    for step in steps:
        alike[step._replace(kind="", ms=0)].append(step.ms)
    return {key: (float(np.median(v)), len(v)) for key, v in alike.items()}


def num_requests(scenes: Iterable[Scene]) -> int:
    """Return how many requests scenes send."""
    return sum(scene.num_requests for scene in scenes)


def _timed(session, scene, took):
    start = time.perf_counter()
    steps = session.played(scene)
    took[scene] = time.perf_counter() - start
    return steps


def _check(session, last, took):
    """Play the checks; where the engine has slowed down, not all of them."""
    session.progress("the first probes again, for drift")
    steps: list[TimedStep] = []
    try:
        for scene in last:
            steps += _timed(session, scene, took)
    except LateError:
        if not steps:
            raise
    return steps


def _report(session, steps):
    client = session.client
    session.progress(
        f"{client.num_requests} requests, {len(steps)} steps, "
        f"{max(0.0, client.seconds_left):.0f} s left"
    )
