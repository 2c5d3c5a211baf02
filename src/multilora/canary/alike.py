"""Whether two greedy answers are the same, up to the noise of floats.

The same request in another batch is computed in another order. Its logprobs
move a little, and where two tokens are about as likely, the other one may
win. That is no wrong answer. What is: a move beyond all that the server shows
when a model is in a batch with itself.
"""

from typing import NamedTuple

from multilora.canary.greedy import Reply

# In logprobs. A server that shows no noise may still have some.
LEAST_NOISE = 0.03
SAME = 0.01  # within it, two answers may be of the same weights
TIMES_NOISE = 3.0  # beyond it: changed
MOST_NOISE = 1.0  # beyond it floats are no excuse, and there is no verdict


class Noise(NamedTuple):
    """By how much logprobs moved where nothing should have changed."""

    seen: float = 0.0

    @property
    def limit(self) -> float:
        """A move of a logprob above this is a change."""
        return TIMES_NOISE * max(self.seen, LEAST_NOISE)


def num_agreeing(reply: Reply, other: Reply) -> int:
    """Return how many leading tokens two answers share."""
    num = 0
    for a, b in zip(reply.tokens, other.tokens, strict=False):
        if a != b:
            break
        num += 1
    return num


def share_agreeing(reply: Reply, other: Reply) -> float:
    """Return the leading tokens that agree, as a share of the longer one."""
    longest = max(len(reply.tokens), len(other.tokens))
    return num_agreeing(reply, other) / longest if longest else 1.0


def moved(reply: Reply, other: Reply) -> float:
    """Return the largest move of a logprob while the tokens agree.

    Where another token won, the margin that it made good counts too, half
    of it for each of the two. Without logprobs it is 0.
    """
    num = num_agreeing(reply, other)
    pairs = list(zip(reply.logprobs, other.logprobs, strict=False))[:num]
    largest = max((abs(a - b) for a, b in pairs), default=0.0)
    if num < min(len(reply.margins), len(other.margins)):
        largest = max(largest, other.margins[num] / 2)
    return largest


def is_changed(reply: Reply, reference: Reply, noise: Noise) -> bool:
    """True if an answer differs from its reference by more than noise.

    Without logprobs every other token is a change.
    """
    if not (reply.logprobs and reference.logprobs):
        return reply.tokens != reference.tokens
    return moved(reply, reference) > noise.limit


def is_same(reply: Reply, other: Reply, noise: Noise) -> bool:
    """True if two answers may be of the same weights: tokens and logprobs."""
    if not reply.tokens or reply.tokens != other.tokens:
        return False
    return moved(reply, other) <= min(max(noise.seen, SAME), LEAST_NOISE)


def looks_like(
    reply: Reply, reference: Reply, others: dict[str, Reply], noise: Noise
) -> str | None:
    """Return whose own answer a changed one is, or None.

    Only a model counts whose answer is not about the reference itself.
    """
    for name, other in others.items():
        is_apart = is_changed(other, reference, noise)
        if is_apart and not is_changed(reply, other, noise):
            if reply.tokens == other.tokens:
                return name
    return None
