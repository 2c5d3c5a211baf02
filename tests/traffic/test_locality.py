"""Each figure of a trace is the one that a plain loop finds."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora import traffic
from multilora.traffic.locality import (
    favourites_kept,
    own_share,
    top_shares,
    zipf_slope,
)

uses = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 3), st.integers(0, 2)),
    min_size=1,
    max_size=60,
)


@given(uses, st.integers(0, 60))
def test_own_share_is_that_of_a_loop(rows, within_s):
    rows = sorted(rows, key=lambda row: row[0])
    last, num = {}, 0
    for time, adapter_id, user_id in rows:
        if adapter_id in last:
            before, who = last[adapter_id]
            num += who == user_id and time - before <= within_s
        last[adapter_id] = time, user_id
    found = own_share(*zip(*rows, strict=True), within_s)
    assert found == pytest.approx(num / len(rows))


@given(st.lists(st.integers(0, 9), min_size=2, max_size=80))
def test_favourites_are_counted_half_by_half(ids):
    def top(part):
        uses = Counter(part).most_common()
        uses.sort(key=lambda pair: (-pair[1], pair[0]))
        return {adapter_id for adapter_id, _ in uses[:3]}

    half = len(ids) // 2
    expected = len(top(ids[:half]) & top(ids[half:]))
    assert favourites_kept(ids, 3) == expected


@given(st.lists(st.integers(0, 9), min_size=1, max_size=80))
def test_top_shares_are_counted(ids):
    uses = sorted(Counter(ids).values(), reverse=True)
    expected = [sum(uses[:top]) / len(ids) for top in (1, 3, 20)]
    assert top_shares(ids, [1, 3, 20]) == pytest.approx(expected)


@given(st.lists(st.integers(0, 9), min_size=4, max_size=80))
def test_a_slope_is_that_of_polyfit(ids):
    uses = sorted(Counter(ids).values(), reverse=True)[:5]
    if len(uses) < 2:
        return
    ranks = np.arange(1, len(uses) + 1)
    slope = np.polyfit(np.log(ranks), np.log(uses), 1)[0]
    assert zipf_slope(ids, 5) == pytest.approx(-slope, abs=1e-9)


def test_the_slope_of_zipf_is_its_exponent():
    ids = traffic.zipf(400_000, 500, 0.8)
    assert zipf_slope(ids, 100) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        (own_share, ([1], [0, 0], [0, 0]), "times_s is"),
        (own_share, ([2, 1], [0, 0], [0, 0]), "times_s is"),
        (own_share, ([1, 2], [0, 0], [0]), "user_ids is"),
        (own_share, ([], [], []), "adapter_ids is"),
        (zipf_slope, ([3, 3], 5), "adapter_ids holds one adapter"),
        (favourites_kept, ([3],), "adapter_ids holds one use"),
        (top_shares, ([3], [0]), "tops is"),
    ],
)
def test_bad_input_is_named(function, arguments, named):
    with pytest.raises(ValueError, match=named):
        function(*arguments)
