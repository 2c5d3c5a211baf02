"""Two greedy answers: what is noise, what is a change, whose it is."""

from hypothesis import given
from hypothesis import strategies as st

from multilora.canary.alike import (
    Noise,
    is_changed,
    is_same,
    looks_like,
    moved,
    num_agreeing,
    share_agreeing,
)
from multilora.canary.greedy import Reply

NUMBERS = st.floats(-9, 0)
ROWS = st.lists(st.tuples(st.sampled_from("ab"), NUMBERS, st.floats(0, 5)))


def reply(rows):
    tokens, logprobs, margins = zip(*rows, strict=True) if rows else ((),) * 3
    return Reply(tokens, logprobs, margins)


@given(ROWS, ROWS)
def test_agreeing_tokens_are_the_common_start(one, two):
    one, two = reply(one), reply(two)
    num = num_agreeing(one, two)
    assert one.tokens[:num] == two.tokens[:num]
    assert one.tokens[num : num + 1] != two.tokens[
        num : num + 1
    ] or num == min(len(one.tokens), len(two.tokens))
    assert 0 <= share_agreeing(one, two) <= 1
    assert (share_agreeing(one, two) == 1) == (one.tokens == two.tokens)


@given(ROWS, st.floats(0, 0.5), st.floats(0, 2))
def test_a_move_within_the_limit_is_no_change(rows, move, seen):
    own, noise = reply(rows), Noise(seen)
    other = reply([(token, lp - move, gap) for token, lp, gap in rows])
    assert moved(own, own) == 0 and not is_changed(own, own, noise)
    assert is_same(own, own, noise) == bool(rows)
    near = noise.limit * 0.999 > move
    if near or not rows:
        assert not is_changed(other, own, noise)
    elif move > noise.limit * 1.001:
        assert is_changed(other, own, noise)


def test_another_token_counts_by_the_margin_that_it_made_good():
    own = reply([("a", -1.0, 2.0), ("b", -1.0, 0.1), ("a", -1.0, 3.0)])
    tie = reply([("a", -1.0, 2.0), ("a", -1.1, 0.1), ("b", -5.0, 3.0)])
    clear = reply([("b", -1.0, 2.0), ("b", -1.0, 0.1)])
    assert not is_changed(tie, own, Noise())
    assert is_changed(clear, own, Noise())
    assert not is_changed(clear, own, Noise(1.0))
    assert not is_same(tie, own, Noise(5))


def test_without_logprobs_every_other_token_is_a_change():
    assert is_changed(Reply(("a",)), Reply(("b",)), Noise(9))
    assert not is_changed(Reply(("a",)), Reply(("a",)), Noise())


def test_a_changed_answer_is_another_s_only_where_theirs_is_apart():
    own = reply([("a", -1.0, 2.0)])
    apart = reply([("b", -1.0, 2.0)])
    twin = reply([("a", -1.01, 2.0)])
    others = {"twin": twin, "apart": apart}
    assert looks_like(apart, own, others, Noise()) == "apart"
    assert looks_like(twin, own, others, Noise()) is None
    third = reply([("c", -1.0, 2.0)])
    assert looks_like(third, own, others, Noise()) is None
