"""The bar of a GPU's memory: letters in proportion, with and without room."""

from hypothesis import given
from hypothesis import strategies as st

from multilora.cli.bars import memory_bar
from multilora.plan.answer import Memory
from multilora.units import GIB

BYTES = st.integers(0, 200 * GIB)


def memory(usable, weights, slots, low, more):
    return Memory(
        usable_bytes=usable, weight_bytes=weights, slot_bytes=slots,
        overhead_low_bytes=low, overhead_high_bytes=low + more,
        kv_token_bytes=1, kv_tokens_low=0, kv_tokens_high=0,
    )  # fmt: skip


@given(BYTES, BYTES, BYTES, BYTES, BYTES, st.integers(10, 100))
def test_letters_are_in_proportion_and_what_is_too_much_is_marked(
    usable, weights, slots, low, more, width
):
    bar, legend = memory_bar(
        memory(usable, weights, slots, low, more), width
    ).plain.split("\n")
    taken = weights + slots + low + more
    assert ("|" in bar) == ("!" in bar)
    letters = bar.replace("|", "")
    assert len(letters) == (width if usable + taken else 0)
    assert letters == "".join(
        letter * letters.count(letter) for letter in "WSO?K!"
    )
    if taken <= usable and usable:
        for letter, size in zip("WSO?", (weights, slots, low, more),
                                strict=True):  # fmt: skip
            assert abs(letters.count(letter) - size / usable * width) <= 1
        assert "!" not in bar
    if taken > usable:
        assert "K" not in bar
    assert f"W weights {weights / GIB:.2f}" in legend
