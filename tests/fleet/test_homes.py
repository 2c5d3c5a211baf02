"""Homes and loads: there and back, and what each engine gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.fleet.homes import engine_lists, homes_of, num_moves
from multilora.fleet.loads import engine_loads
from multilora.fleet.ranks import may_serve, rank_classes, ranks_needed

NUM = 5
HOMES = st.lists(
    st.lists(st.integers(0, NUM - 1), min_size=1, unique=True).map(sorted),
    min_size=1,
    max_size=12,
)


@given(HOMES)
def test_the_lists_of_engines_lead_back_to_the_homes(homes):
    assert homes_of(engine_lists(homes, NUM)) == homes


@given(HOMES, st.data())
def test_a_home_gets_an_equal_part_unless_told(homes, data):
    loads = data.draw(
        st.lists(st.integers(0, 99), min_size=len(homes), max_size=len(homes))
    )
    wanted = [0.0] * NUM
    for load, row in zip(loads, homes, strict=True):
        for engine in row:
            wanted[engine] += load / len(row)
    shares = [[1 / len(row)] * len(row) for row in homes]
    for found in (
        engine_loads(homes, loads, NUM),
        engine_loads(homes, loads, NUM, shares),
    ):
        assert found == pytest.approx(wanted)


def test_shares_say_who_gets_how_much():
    assert engine_loads([[0, 2]], [10], 3, [[0.25, 0.75]]) == [2.5, 0, 7.5]


def test_a_home_given_up_is_no_move_and_a_new_tenant_is_one():
    assert num_moves([[0, 1], [1], []], [[0], [2], [1]], 3) == 2


def test_a_rank_is_served_where_slots_are_as_wide():
    assert may_serve([8, 64, 16], [64, 16]) == [[0, 1], [0], [0, 1]]
    assert ranks_needed([[0, 1], [1]], [16, 8], 3) == [16, 16, 0]
    assert rank_classes([8, 64, 8]) == [(64, [1]), (8, [0, 2])]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: engine_lists([[0], []], 2), "nobody may serve tenant 1"),
        (lambda: engine_lists([[0, 0]], 2), "an engine twice"),
        (lambda: engine_lists([[2]], 2), r"homes\[0\] is 2"),
        (lambda: homes_of([[0], [2]]), "no tenant 1, so nobody may serve"),
        (lambda: homes_of([[0, 0]]), "a tenant twice"),
        (lambda: num_moves([[0]], [[0], [1]], 2), "new holds 2 tenants"),
        (lambda: engine_loads([[0]], [1, 2], 1), "homes holds 1 tenants"),
        (lambda: engine_loads([[0]], [1], 1, [[1, 2]]), "shares must hold"),
        (lambda: engine_loads([[0]], [1], 1, [[-1]]), r"shares\[0\] is -1"),
        (lambda: may_serve([8, 128], [64, 8]), "nobody may serve tenant 1"),
        (lambda: ranks_needed([[0]], [8, 8], 1), "homes holds 1 tenants"),
    ],
)
def test_what_cannot_be_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
