"""Backups: after any loss nobody is without an engine, loads about equal."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.fleet.backups import (
    NO_BACKUP,
    backups,
    homes_after_loss,
    load_after_loss,
)
from multilora.fleet.homes import homes_of
from multilora.fleet.loads import engine_loads
from multilora.fleet.placement import balanced

NUM = 3
TENANTS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.lists(st.integers(0, NUM - 1), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=7,
)


@given(TENANTS)
def test_the_load_after_a_loss_is_that_of_the_homes_left(tenants):
    loads, homes = (list(column) for column in zip(*tenants, strict=True))
    takers = backups(homes, loads, NUM)
    for engine in range(NUM):
        left = homes_after_loss(homes, takers, engine, NUM)
        after = load_after_loss(homes, takers, loads, engine, NUM)
        assert after == pytest.approx(engine_loads(left, loads, NUM))
        assert after[engine] == 0 and sum(after) == pytest.approx(sum(loads))


@given(TENANTS)
def test_the_busiest_is_within_its_bound_of_every_choice(tenants):
    loads, homes = (list(column) for column in zip(*tenants, strict=True))
    takers = backups(homes, loads, NUM)
    for engine in range(NUM):
        alone = [t for t, row in enumerate(homes) if row == [engine]]
        others = [k for k in range(NUM) if k != engine]
        peaks = []
        for way in product(others, repeat=len(alone)):
            tried = list(takers)
            for tenant, taker in zip(alone, way, strict=True):
                tried[tenant] = taker
            peaks.append(
                max(load_after_loss(homes, tried, loads, engine, NUM))
            )
        found = max(load_after_loss(homes, takers, loads, engine, NUM))
        assert min(peaks) <= found + 1e-9 and found <= 1.5 * min(peaks) + 1e-9


def test_only_a_tenant_with_one_home_has_a_backup():
    assert backups([[0], [0, 1]], [1, 1], 2) == [1, NO_BACKUP]


def test_a_hundred_even_tenants_on_13_engines_are_even_after_a_loss():
    """All but one engine's load over the mean of 12 is one tenant's."""
    homes = homes_of(balanced([1] * 100, 13))
    takers = backups(homes, [1] * 100, 13)
    for engine in range(13):
        after = load_after_loss(homes, takers, [1] * 100, engine, 13)
        assert max(after) == 9 and sorted(after)[1] == 8


def test_a_wide_tenant_goes_where_slots_are_wide():
    homes, loads = [[0], [1], [2]], [1, 5, 0]
    assert backups(homes, loads, 3)[0] == 2
    takers = backups(homes, loads, 3, ranks=[64, 8, 8], max_ranks=[64, 64, 8])
    assert takers[0] == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: backups([[0]], [1], 1), "no engine is left for a backup"),
        (
            lambda: backups([[0], [1]], [1, 1], 2, [64, 8], [64, 8]),
            "tenant 0 fits on engine 0 alone",
        ),
        (
            lambda: backups([[0]], [1], 2, [128], [64, 8]),
            "nobody may serve tenant 0",
        ),
        (lambda: backups([[0]], [1], 2, [8]), "both, or neither"),
        (lambda: backups([[0]], [1], 2, [8], [8]), "max_ranks 1"),
        (lambda: backups([[0]], [1, 2], 2), "homes holds 1 tenants"),
        (lambda: load_after_loss([[0]], [0], [1], 0, 2), r"backups\[0\] is 0"),
        (lambda: load_after_loss([[0]], [-1], [1], 0, 2), "is -1, but must"),
        (lambda: load_after_loss([[0]], [1], [1], 2, 2), "engine is 2"),
        (lambda: load_after_loss([[0]], [], [1], 0, 2), r"backups is \[\]"),
    ],
)
def test_what_cannot_be_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
