"""KV blocks counted by step, against a plain loop over requests."""

from hypothesis import given
from hypothesis import strategies as st

from multilora.serving.blocks import KvBlocks
from multilora.serving.limits import engine_limits

DECODING = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 40)), min_size=1, max_size=9
)


def by_a_loop(decoding, size, step):
    """How many of the requests begin a block in a step."""
    return sum(
        (stored + step - since) % size == 0 for since, stored in decoding
    )


@given(DECODING, st.integers(1, 7), st.integers(0, 60), st.integers(0, 60))
def test_blocks_begin_where_a_loop_says(decoding, size, free, most):
    """All decode from step 10 on at the latest."""
    blocks = KvBlocks(free, size)
    for since, stored in decoding:
        blocks.start(since, stored)
    needs = [by_a_loop(decoding, size, 10 + n) for n in range(most)]
    assert [blocks.needed(10 + n) for n in range(most)] == needs
    assert blocks.needed_over(10, most) == sum(needs)
    fitting = [n for n in range(most + 1) if sum(needs[:n]) <= free]
    assert blocks.num_steps_that_fit(10, most) == max(fitting)
    for since, stored in decoding:
        blocks.stop(since, stored)
    assert not any(blocks.begins) and not blocks.num_decoding


@given(st.integers(1, 99), st.integers(0, 999))
def test_the_number_of_blocks_rounds_up(size, tokens):
    limits = engine_limits(1, block_size=size)
    num = KvBlocks(9, size).num(tokens)
    assert num == limits.num_blocks(tokens)
    assert (num - 1) * size < tokens <= num * size or not tokens
