"""The min-cost flow against every assignment, on small fleets."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from multilora.fleet.flow import fewest_moves, split
from multilora.fleet.homes import engine_lists, num_moves
from multilora.fleet.loads import engine_loads
from multilora.fleet.moves import moves_by_capacity

NUM = 3
ENGINES = range(NUM)
SOME = st.lists(st.sampled_from(ENGINES), min_size=1, unique=True)
TENANTS = st.lists(
    st.tuples(
        st.integers(0, 4),  # load
        st.lists(st.sampled_from(ENGINES), max_size=2, unique=True),  # old
        SOME,  # may
    ),
    min_size=1,
    max_size=4,
)


def ways(tenants, slots):
    """Every choice of as many engines as before, within slots."""
    each = [
        combinations(sorted(may), max(1, len(old))) for _, old, may in tenants
    ]
    for homes in product(*each):
        used = [engine for row in homes for engine in row]
        if all(used.count(k) <= slots[k] for k in ENGINES):
            yield homes


def price(tenants, homes):
    """Adapters moved first, then their load."""
    moved = [
        (set(row) - set(old), load)
        for (load, old, _), row in zip(tenants, homes, strict=True)
    ]
    return (
        sum(len(gone) for gone, _ in moved),
        sum(len(gone) * load for gone, load in moved),
    )


@given(TENANTS, st.lists(st.integers(0, 4), min_size=NUM, max_size=NUM))
def test_no_assignment_moves_fewer(tenants, slots):
    loads, old, may = (list(column) for column in zip(*tenants, strict=True))
    prices = [price(tenants, homes) for homes in ways(tenants, slots)]
    if not prices:
        with pytest.raises(ValueError, match="slots are"):
            fewest_moves(old, loads, slots, NUM, may=may)
        return
    homes = fewest_moves(old, loads, slots, NUM, may=may)
    assert price(tenants, homes) == min(prices)
    assert homes in [
        [list(row) for row in way] for way in ways(tenants, slots)
    ]


def splits(load, may):
    """Every way to deal a load of whole units over the engines of may."""
    for parts in product(range(load + 1), repeat=NUM):
        if sum(parts) == load and all(
            parts[k] == 0 or k in may for k in ENGINES
        ):
            yield parts


@settings(max_examples=60)
@given(TENANTS, st.integers(1, 6))
def test_no_split_moves_less_load(tenants, capacity):
    """Whole units do: with whole loads a best flow is whole."""
    loads, old, may = (list(column) for column in zip(*tenants, strict=True))
    assume(sum(loads))
    costs = [
        sum(
            parts[k]
            for (_, was, _), parts in zip(tenants, way, strict=True)
            for k in ENGINES
            if k not in was
        )
        for way in product(*(splits(load, can) for load, _, can in tenants))
        if all(sum(part[k] for part in way) <= capacity for k in ENGINES)
    ]
    if not costs:
        with pytest.raises(ValueError, match="does not fit"):
            split(loads, NUM, capacity, old, may)
        return
    homes, shares = split(loads, NUM, capacity, old, may)
    moved = sum(
        load * share
        for load, was, row, part in zip(loads, old, homes, shares, strict=True)
        for engine, share in zip(row, part, strict=True)
        if engine not in was
    )
    assert moved == pytest.approx(min(costs), abs=1e-4)
    assert max(engine_loads(homes, loads, NUM, shares)) < capacity + 1e-4
    assert sum(map(len, homes)) <= len(loads) + NUM - 1
    assert all(
        set(row) <= set(can) for row, can in zip(homes, may, strict=True)
    )


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.integers(1, 9))
def test_a_split_fits_wherever_the_sum_does(loads, num):
    assume(sum(loads) <= num)
    homes, shares = split(loads, num)
    assert max(engine_loads(homes, loads, num, shares)) <= 1 + 1e-4
    assert [sum(part) for part in shares] == pytest.approx([1] * len(loads))
    assert min(min(part) for part in shares) > 0


def test_an_engine_that_is_emptied_moves_its_tenants_and_nobody_else():
    old = [[t % 3] for t in range(9)]
    new = fewest_moves(old, [1] * 9, [5, 0, 5], 3)
    assert num_moves(old, new, 3) == 3
    assert engine_lists(new, 3)[1] == []
    assert [new[t] for t in range(9) if t % 3 != 1] == [
        old[t] for t in range(9) if t % 3 != 1
    ]


def test_slots_are_one_number_or_a_row_of_any_kind():
    wanted = fewest_moves([[0], [0]], [1, 2], 1, 2)
    for slots in ([1, 1], (1, 1), np.array([1, 1]), np.int64(1)):
        assert fewest_moves([[0], [0]], [1, 2], slots, 2) == wanted


def test_spread_costs_moves_and_stickiness_costs_balance():
    """Nine tenants on one engine of three, one load each."""
    rows = moves_by_capacity([1] * 9, [[0]] * 9, 3, [9, 6, 4, 3])
    assert [row.num_moves for row in rows] == [0, 3, 5, 6]
    assert [round(row.load_moved) for row in rows] == [0, 3, 5, 6]
    assert [round(row.busiest) for row in rows] == [9, 6, 4, 3]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: split([3, 3], 2, 2), "loads sum to 6, which does not fit"),
        (lambda: split([1], 2, may=[[]]), "nobody may serve tenant 0"),
        (lambda: split([1], 0), "num_engines is 0"),
        (lambda: fewest_moves([[0]] * 3, [1] * 3, 1, 2), "slots are 2, too"),
        (lambda: fewest_moves([[0]], [1], [1], 2), "slots holds 1"),
        (
            lambda: fewest_moves([[0]], [1], 1, 2, [3]),
            "counts holds 3 replicas",
        ),
        (lambda: fewest_moves([[0]], [1], [1, 0], 2, [2]), "slots are 1, too"),
        (lambda: fewest_moves([[3]], [1], 1, 2), r"old\[0\] is 3"),
        (lambda: moves_by_capacity([1], [[0]], 1, [0]), "capacities is 0"),
    ],
)
def test_what_does_not_fit_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
