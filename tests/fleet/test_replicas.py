"""Replicas, and homes dealt in turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.fleet.homes import engine_lists
from multilora.fleet.loads import engine_loads
from multilora.fleet.replicas import replicas, replicas_needed
from multilora.fleet.turns import in_turn

LOADS = st.lists(st.floats(0, 8), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("load", "headroom", "needed"),
    [(2.5, 0, 3), (2.5, 0.3, 4), (3, 0, 3), (0, 0, 1), (0.3, 0.7, 1)],
)
def test_a_hot_tenant_needs_as_many_as_its_load(load, headroom, needed):
    assert replicas_needed(load, headroom) == needed


@given(st.floats(0, 100), st.floats(0, 0.9))
def test_one_engine_fewer_would_not_do(load, headroom):
    """By a plain loop: the first count whose engines have room."""
    count = 1
    while load > count * (1 - headroom) * (1 + 1e-8):
        count += 1
    assert replicas_needed(load, headroom) == count


def test_a_tenant_that_must_survive_a_loss_gets_one_more():
    """Else two of three engines would have 1.25 loads each."""
    loads = [2.5, *[0.1] * 9]
    assert replicas(loads, 4) == [3, *[1] * 9]
    assert replicas(loads, 4, num_spare=1) == [4, *[1] * 9]
    assert replicas(loads, 8, max_share=0.5) == [5, *[1] * 9]


@given(LOADS, st.integers(8, 12))
def test_in_turn_is_the_plain_loop(loads, num):
    counts = replicas(loads, num)
    parts = [load / count for load, count in zip(loads, counts, strict=True)]
    sums = [(0.0, 0, k) for k in range(num)]
    wanted = {}
    for tenant in sorted(range(len(loads)), key=lambda t: (-parts[t], t)):
        taken = sorted(sums)[: counts[tenant]]
        wanted[tenant] = {k for _, _, k in taken}
        for load, tenants, k in taken:
            sums[k] = load + parts[tenant], tenants + 1, k
    homes = in_turn(loads, counts, num)
    assert [set(row) for row in homes] == [wanted[t] for t in sorted(wanted)]
    assert [len(row) for row in homes] == counts
    assert engine_loads(homes, loads, num) == pytest.approx(
        [load for load, _, _ in sums]
    )


def test_the_hot_tenant_and_nine_small_ones_fit_on_four_engines():
    """2.5 + 0.9 loads: the small ones leave the hot one's engines alone."""
    loads = [2.5, *[0.1] * 9]
    filled = engine_loads(in_turn(loads, replicas(loads, 4), 4), loads, 4)
    assert max(filled) < 1 and sum(filled) == pytest.approx(3.4)


@given(LOADS, st.integers(1, 8))
def test_no_engine_has_more_tenants_than_slots(loads, num):
    slots = -(-len(loads) // num)
    homes = in_turn(loads, [1] * len(loads), num, slots)
    groups = engine_lists(homes, num)
    assert max(map(len, groups)) <= slots


def test_slots_keep_small_tenants_from_crowding_one_engine():
    loads = [9, 1, 1, 1, 1, 1]
    free = engine_lists(in_turn(loads, [1] * 6, 2), 2)
    full = engine_lists(in_turn(loads, [1] * 6, 2, slots=3), 2)
    assert [len(group) for group in free] == [1, 5]
    assert [len(group) for group in full] == [3, 3]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: replicas([2.5, 0.1], 2), r"loads\[0\] is 2.5, which needs 3"),
        (
            lambda: replicas([2.5], 3, num_spare=1),
            "needs 4 replicas or more",
        ),
        (lambda: replicas([1e15], 3, 1e-5), "needs 1,025 replicas or more"),
        (lambda: replicas([1], 0), "num_engines is 0"),
        (lambda: replicas_needed(0, 1), "headroom 1, which needs more than"),
        (lambda: replicas([1e308], 2), r"loads holds 1e\+308, but must not"),
        (lambda: replicas([1], 1, max_share=0), "max_share is 0"),
        (lambda: replicas_needed(1, 1), "load is 1 and headroom 1"),
        (lambda: replicas_needed(-1), "load is -1"),
        (lambda: in_turn([1, 2], [1, 4], 3), "counts holds 4 replicas"),
        (lambda: in_turn([1, 2], [1, 0], 3), "counts holds 0"),
        (lambda: in_turn([1, 2], [1], 3), "counts holds 1"),
        (lambda: in_turn([1, 2], [1, 2], 2, 1), "slots is 1 on each of 2"),
    ],
)
def test_what_cannot_be_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
