"""The steps of an engine, read off the tokens of a scene.

A request that decodes is a clock: each of its tokens ends a step. Who else
got a token then was in that step; whose first token it was brought a prompt.
"""

from collections.abc import Iterable
from math import inf
from statistics import median

from multilora.serving.scenes import Heard
from multilora.serving.timed import TimedStep

LATE = 0.25  # of the usual gap: a token hard behind the one before it
NEAR = 3  # steps by which a first token may come late


def timed_steps(
    kind: str, heard: Iterable[Heard], base: str, token_budget: int
) -> list[TimedStep]:
    """Return the TimedSteps that the tokens of a scene show.

    The request that had the first token is the clock. From its first token
    on a request has one a step: it is laid on the clock where most of its
    tokens fit. Steps in which a prompt may have been cut to token_budget, or
    whose clock skipped a beat, are left out.
    """
    heard = [item for item in heard if item.tokens]
    if not heard:
        return []
    clock = min(heard, key=lambda item: item.tokens[0][0])
    ticks = dict((num, moment) for moment, num in clock.tokens)
    lies = [(item, _place(item, ticks)) for item in heard]
    steps = []
    if len(heard) == 1 and 1 in ticks:
        steps.append(_first(kind, clock, base))
    gaps = {
        num: 1e3 * (ticks[num] - ticks[num - 1])
        for num in ticks
        if num - 1 in ticks  # else two came in one piece: nobody knows when
    }
    least = LATE * median(gaps.values() or [0])
    for num, ms in gaps.items():
        if num < _first_whole(lies, clock, token_budget):
            continue
        if ms < least or gaps.get(num + 1, ms) < least:
            continue  # this token came late, or the one before it did
        here = [
            item.call
            for item, place in lies
            if place <= num < place + item.call.num_tokens
        ]
        new = [item.call for item, place in lies if place == num]
        steps.append(_step(kind, ms, here, new, base))
    return steps


def _place(item, ticks):
    """Return the token of the clock that came with an item's first one."""
    moments = {num: moment for moment, num in item.tokens}
    first = item.tokens[0][0]
    nearest = min(ticks, key=lambda num: abs(ticks[num] - first))

    def distance(place):
        apart = [
            abs(moment - ticks[place + num - 1])
            for num, moment in moments.items()
            if place + num - 1 in ticks
        ]
        return median(apart) if apart else inf

    place = min(range(nearest - NEAR, nearest + NEAR + 1), key=distance)
    step = (max(ticks.values()) - min(ticks.values())) / len(ticks)
    has_stopped = first > max(ticks.values()) + step
    return max(ticks) + 1 if has_stopped else max(place, 1)


def _first_whole(lies, clock, token_budget):
    """Return the first token of the clock after which no prompt was cut."""
    others = [
        (item.call.num_prompt_tokens, place)
        for item, place in lies
        if item is not clock and item.sent < clock.tokens[0][0]
    ]
    if sum(num for num, _ in others) + len(lies) <= token_budget:
        return 2
    return 1 + max(place for _, place in others)


def _first(kind, item, base):
    ms = 1e3 * (item.tokens[0][0] - item.sent)
    step = _step(kind, ms, [item.call], [item.call], base)
    return step._replace(is_first=True)


def _step(kind, ms, calls, new, base):
    return TimedStep(
        kind,
        float(ms),
        sum(call.num_prompt_tokens for call in new),
        len(calls),
        len({call.model for call in calls} - {base}),
        sum(call.num_slot_loads for call in new),
        sum(call.num_disk_loads for call in new),
    )
