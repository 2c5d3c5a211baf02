"""Lab 02's replies, compared by a plain model, and by its known slips."""

import random
from collections.abc import Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """A reply as the spec makes it."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]


def said(*tokens: int) -> Said:
    """Return a reply whose logprobs are all the same."""
    return Said(tokens, tuple(-0.125 for _ in tokens))


def plain_diff(
    left: Sequence[Said], right: Sequence[Said]
) -> tuple[int, int, dict[int, int], float]:
    """Return (num_prompts, num_equal, first_differences, largest)."""
    first = {
        number: _first_other(one.token_ids, two.token_ids)
        for number, (one, two) in enumerate(zip(left, right, strict=True))
        if one.token_ids != two.token_ids
    }
    return len(left), len(left) - len(first), first, _gap(max, left, right)


def slips_of(
    left: Sequence[Said], right: Sequence[Said]
) -> dict[str, dict[str, object]]:
    """Return {field: {sentence: the value that this slip gives}}."""
    num_prompts, num_equal, first, _ = plain_diff(left, right)
    pairs = [
        (one.token_ids, two.token_ids)
        for one, two in zip(left, right, strict=True)
    ]
    same = [sum(map(int.__eq__, *pair)) for pair in pairs]
    shorter = [a[: len(b)] == b[: len(a)] for a, b in pairs]
    return {
        "num_prompts": {
            "that is tokens: count the prompts": sum(len(a) for a, _ in pairs),
            "only the prompts that differ are counted": len(first),
        },
        "num_equal": {
            "that is how many differ, not how many are equal": len(first),
            "that is equal tokens: count prompts": sum(same),
            "a reply that stops early was counted as equal: does zip stop "
            "at the shorter one?": sum(shorter),
            "only the first token is compared": sum(
                a[:1] == b[:1] for a, b in pairs
            ),
            "the order of tokens counts: do not sort them": sum(
                sorted(a) == sorted(b) for a, b in pairs
            ),
            "replies of equal length are not yet equal": sum(
                len(a) == len(b) for a, b in pairs
            ),
            "this is a share: count the prompts": num_equal / num_prompts,
        },
        "first_differences": {
            "positions are counted from 0, not from 1": {
                key: value + 1 for key, value in first.items()
            },
            "prompts are counted from 0, not from 1": {
                key + 1: value for key, value in first.items()
            },
            "that is the last other token: stop at the first": {
                key: _last_other(*pairs[key]) for key in first
            },
            "a reply that stops early differs at the first token it lacks": {
                key: value for key, value in first.items() if not shorter[key]
            },
            "a reply that stops early differs at the first token it lacks, "
            "one after its last": {
                key: value - shorter[key] for key, value in first.items()
            },
            "that is the token, not its position": {
                key: max(pairs[key], key=len)[value]
                for key, value in first.items()
            },
            "only the first prompt that differs is there": dict(
                [*first.items()][:1]
            ),
        },
        "max_logprob_difference": _gap_slips(left, right, first),
    }


def random_runs(seed: int) -> tuple[list[Said], list[Said]]:
    """Return two lists of eight replies, of which some differ.

    In every second pair the logprobs of equal replies are equal too.
    """
    rng = random.Random(seed)
    left = [_random_reply(rng, rng.randrange(7)) for _ in range(8)]
    right = []
    for number, reply in enumerate(left):
        tokens = list(reply.token_ids)
        if number % 4 == 1 and tokens:  # one or two other tokens
            tokens[rng.randrange(len(tokens))] += 1
            tokens[rng.randrange(len(tokens))] += 1
        elif number % 4 == 2:  # longer or shorter
            tokens = tokens[:-2] if rng.random() < 0.5 else [*tokens, 9, 8]
        elif number % 8 == 3:  # another order
            rng.shuffle(tokens)
        other = Said(tuple(tokens), _random_logprobs(rng, tokens))
        is_kept = seed % 2 and other.token_ids == reply.token_ids
        right.append(reply if is_kept else other)
    return left, right


def _random_reply(rng, length):
    tokens = tuple(rng.randrange(5) for _ in range(length))
    return Said(tokens, _random_logprobs(rng, tokens))


def _random_logprobs(rng, tokens):
    return tuple(-rng.randrange(1, 64) / 8 for _ in tokens)


def _gap_slips(left, right, first):
    equal = [n for n in range(len(left)) if n not in first]
    only = [[run[n] for n in equal] for run in (left, right)]
    others = [[run[n] for n in first] for run in (left, right)]
    return {
        "logprobs of different tokens were compared: stop at the first "
        "other token": _gap(max, left, right, all_tokens=True),
        "the first other token is compared too: stop before it": _gap(
            max, left, right, beyond=1
        ),
        "a difference has no sign here: take its absolute value": _gap(
            max, left, right, sign=lambda gap: gap
        ),
        "a difference has no sign here: take its absolute value first": _gap(
            max, left, right, sign=lambda gap: -gap
        ),
        "that is the sum: take the largest": _gap(sum, left, right),
        "that is the smallest: take the largest": _gap(min, left, right),
        "that is the mean: take the largest": _gap(
            lambda gaps: sum(gaps) / len(gaps), left, right
        ),
        "replies that differ are left out: compare them up to there": _gap(
            max, *only
        ),
        "replies that are equal are left out: compare them as well": _gap(
            max, *others
        ),
        "only the first prompt is compared": _gap(max, left[:1], right[:1]),
        "only the last prompt is compared": _gap(max, left[-1:], right[-1:]),
    }


def _gap(choose, left, right, beyond=0, all_tokens=False, sign=abs):
    gaps = []
    for one, two in zip(left, right, strict=True):
        stop = _first_other(one.token_ids, two.token_ids) + beyond
        stop = None if all_tokens else stop
        pairs = zip(one.logprobs[:stop], two.logprobs[:stop], strict=False)
        gaps += [sign(a - b) for a, b in pairs]
    return choose(gaps) if gaps else 0.0


def _first_other(one, two):
    for place, (a, b) in enumerate(zip(one, two, strict=False)):
        if a != b:
            return place
    return min(len(one), len(two))


def _last_other(one, two):
    if len(one) != len(two):
        return max(len(one), len(two)) - 1
    return max(n for n in range(len(one)) if one[n] != two[n])
