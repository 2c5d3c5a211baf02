"""Two ways of serving compared: the same prompts, reply by reply."""

from collections.abc import Sequence
from typing import Protocol

from multilora.adapters.replies import EvalDiff
from multilora.arguments import finite_number, shown


class AnyReply(Protocol):
    """What is compared of a reply; a log probability belongs to a token."""

    @property
    def token_ids(self) -> Sequence[int]:
        """The tokens' ids, in order."""

    @property
    def logprobs(self) -> Sequence[float]:
        """The tokens' log probabilities, in order."""


def eval_diff(
    dedicated: Sequence[AnyReply], consolidated: Sequence[AnyReply]
) -> EvalDiff:
    """Return the EvalDiff of two lists of replies, token by token.

    A reply has token_ids and logprobs, one for each token; the lists belong
    to the same prompts in the same order. A reply that stops early differs
    where it stops. Raises ValueError for empty lists, lists of different
    lengths, a reply with more tokens than logprobs, or a logprob that is
    NaN or infinite.
    """
    pairs = _pairs(dedicated, consolidated)
    differences, largest = {}, 0.0
    for number, (mine, other) in enumerate(pairs):
        same = _num_same(mine.token_ids, other.token_ids)
        if same < max(len(mine.token_ids), len(other.token_ids)):
            differences[number] = same
        for left, right in zip(
            mine.logprobs[:same], other.logprobs[:same], strict=True
        ):
            largest = max(largest, abs(left - right))
    return EvalDiff(
        num_prompts=len(pairs),
        num_equal=len(pairs) - len(differences),
        first_differences=differences,
        max_logprob_difference=largest,
    )


def _num_same(left, right):
    same = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        same += 1
    return same


def _pairs(dedicated, consolidated):
    for name, value in (
        ("dedicated", dedicated),
        ("consolidated", consolidated),
    ):
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise TypeError(
                f"{name} is {shown(value)}, but must be a list of replies"
            )
        for reply in value:
            _check_reply(name, reply)
    if not dedicated or len(dedicated) != len(consolidated):
        raise ValueError(
            f"consolidated has {len(consolidated)} replies, but must have "
            f"one for each of the {len(dedicated)} dedicated, at least one"
        )
    return list(zip(dedicated, consolidated, strict=True))


def _check_reply(name, reply):
    tokens = getattr(reply, "token_ids", None)
    logprobs = getattr(reply, "logprobs", None)
    if not isinstance(tokens, Sequence) or not isinstance(logprobs, Sequence):
        raise TypeError(
            f"{name} holds {shown(reply)}, but must hold replies with "
            "token_ids and logprobs"
        )
    for value in logprobs:
        finite_number(f"a logprob in {name}", value)
    if len(tokens) != len(logprobs):
        raise ValueError(
            f"{name} holds a reply with {len(tokens)} tokens and "
            f"{len(logprobs)} logprobs; there must be one for each"
        )
