"""First fit by load: room is kept, and few engines are opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.fleet.first_fit import first_fit, first_fit_by_rank
from multilora.fleet.homes import homes_of

LOADS = st.lists(st.integers(0, 10), min_size=1, max_size=9)


def fewest_engines(loads, slots, capacity):
    """Every partition, tenant by tenant: the number of engines of the best."""
    best = len(loads)

    def place(tenant, engines):
        nonlocal best
        if len(engines) >= best:
            return
        if tenant == len(loads):
            best = len(engines)
            return
        for k, (load, num) in enumerate(engines):
            if load + loads[tenant] <= capacity and num < slots:
                one = (load + loads[tenant], num + 1)
                place(tenant + 1, [*engines[:k], one, *engines[k + 1 :]])
        place(tenant + 1, [*engines, (loads[tenant], 1)])

    place(0, [])
    return best


@given(LOADS, st.integers(1, 9))
def test_everyone_is_placed_once_and_no_engine_is_too_full(loads, slots):
    groups = first_fit(loads, slots, 10)
    assert [len(row) for row in homes_of(groups)] == [1] * len(loads)
    for group in groups:
        assert sum(loads[t] for t in group) <= 10 and len(group) <= slots


@given(LOADS)
def test_it_is_within_its_bound_of_every_partition(loads):
    found = len(first_fit(loads, len(loads), 10))
    best = fewest_engines(loads, len(loads), 10)
    assert best <= found <= 11 / 9 * best + 6 / 9


def test_the_first_with_room_not_the_emptiest():
    assert first_fit([6, 5, 4, 3, 2], 9, 10) == [[0, 2], [1, 3, 4]]
    assert first_fit([0] * 100, 8) == [
        list(range(k, min(k + 8, 100))) for k in range(0, 100, 8)
    ]


@given(LOADS, st.data())
def test_large_ranks_are_apart(loads, data):
    ranks = data.draw(
        st.lists(
            st.sampled_from([8, 16, 64]),
            min_size=len(loads),
            max_size=len(loads),
        )
    )
    slots = {8: 4, 16: 2, 64: 1}
    groups = first_fit_by_rank(loads, ranks, slots, 10)
    on = [{ranks[t] for t in group} for group in groups]
    assert all(len(one) == 1 for one in on)
    order = [one.pop() for one in on]
    assert order == sorted(order, reverse=True)
    assert [len(row) for row in homes_of(groups)] == [1] * len(loads)
    for rank, group in zip(order, groups, strict=True):
        assert len(group) <= slots[rank]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: first_fit([1, 2.5], 8), r"loads\[1\] is 2.5, above the cap"),
        (lambda: first_fit([1], 0), "slots is 0"),
        (lambda: first_fit([1], 1, 0), "capacity is 0"),
        (lambda: first_fit_by_rank([1], [8], {16: 2}), "slots of rank 8"),
        (lambda: first_fit_by_rank([1], [8, 16], 2), "ranks holds 2"),
    ],
)
def test_what_does_not_fit_is_named(call, said):
    with pytest.raises((ValueError, TypeError), match=said):
        call()
