"""eval_diff against a plain loop."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.adapters.diff import EvalDiff, eval_diff


class Said(NamedTuple):
    token_ids: tuple
    logprobs: tuple


replies = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([-0.5, -0.25, -2.0])),
    max_size=5,
).map(
    lambda pairs: Said(
        tuple(token for token, _ in pairs), tuple(p for _, p in pairs)
    )
)
runs = st.lists(st.tuples(replies, replies), min_size=1, max_size=6)


@given(runs)
def test_eval_diff_is_the_plain_loop(pairs):
    left, right = map(list, zip(*pairs, strict=True))
    first, largest = {}, 0.0
    for number, (one, two) in enumerate(pairs):
        for place in range(max(len(one.token_ids), len(two.token_ids))):
            here = one.token_ids[place : place + 1]
            if here != two.token_ids[place : place + 1]:
                first[number] = place
                break
            gap = abs(one.logprobs[place] - two.logprobs[place])
            largest = max(largest, gap)
    wanted = EvalDiff(len(pairs), len(pairs) - len(first), first, largest)
    assert eval_diff(left, right) == wanted
    assert eval_diff(right, left) == wanted


def test_wrong_runs_are_named():
    one = Said((1,), (-1.0,))
    for left, right, error, sentence in (
        ([], [], ValueError, "at least one"),
        ([one], [], ValueError, "consolidated has 0 replies"),
        ([one], None, TypeError, "consolidated is None"),
        ("a", [one], TypeError, "dedicated is 'a'"),
        ([3], [one], TypeError, "dedicated holds 3"),
        ([one], [Said((1, 2), (-1.0,))], ValueError, "2 tokens and 1 logprob"),
        ([one], [Said((1,), (float("nan"),))], ValueError, "logprob .* nan"),
        ([one], [Said((1,), (None,))], TypeError, "logprob .* None"),
    ):
        with pytest.raises(error, match=sentence):
            eval_diff(left, right)
