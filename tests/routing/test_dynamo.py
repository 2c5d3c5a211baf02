"""Dynamo's estimates, shares and homes, by hand."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from asked import SECOND, ask, setup
from multilora.routing.rates import Rates, num_replicas
from multilora.routing.rendezvous import Rendezvous
from multilora.routing.rules import rule


def name(adapter_id):
    return f"adapter-{adapter_id}"


def test_a_load_is_the_last_90_buckets_smoothed():
    rates = Rates()
    for k in range(10):
        rates.arrived(3, k * SECOND // 10)
    assert rates.loads(0) == {3: 10}
    # Bucket 0 is still in: .3 * 10 + .7 * 10; one second later it is not.
    assert rates.loads(89 * SECOND) == {3: 10}
    assert rates.loads(90 * SECOND) == {3: 7}
    assert rates.loads(93 * SECOND) == {3: 5}  # 4.9
    # 3.43, 2.40, 1.68, 1.18, 0.82, 0.58, then 0.40: no load.
    last = [rates.loads((96 + 3 * k) * SECOND) for k in range(7)]
    assert last == [{3: 3}, {3: 2}, {3: 2}, {3: 1}, {3: 1}, {3: 1}, {}]


@given(st.lists(st.integers(0, 200 * SECOND), max_size=60))
def test_a_first_load_is_a_count_of_the_window(times):
    times.sort()
    rates, now_ns = Rates(), 200 * SECOND
    for time_ns in times:
        rates.arrived(0, time_ns)
    buckets = [(time_ns - times[0]) // SECOND for time_ns in times]
    last = (now_ns - times[0]) // SECOND if times else 0
    count = sum(bucket > last - 90 for bucket in buckets)
    assert rates.loads(now_ns) == ({0: count} if count else {})


def test_shares_by_hand():
    # ceil(7.2), ceil(3.6), ceil(1.2) of 12 slots, 5 engines at most.
    assert num_replicas({0: 60, 1: 30, 2: 10}, 12, 5, name) == {
        0: 5, 1: 4, 2: 2,
    }  # fmt: skip
    # 3, 2 and 1 are more than 5: 2.5, 1.67 and 1, and the last one goes to
    # the largest remainder.
    assert num_replicas({0: 6, 1: 3, 2: 1}, 5, 4, name) == {0: 2, 1: 2, 2: 1}
    # Past the slots the least loads get none; of equals the later name.
    assert num_replicas({0: 1, 1: 5, 2: 1}, 2, 4, name) == {0: 1, 1: 1}


@given(
    st.dictionaries(st.integers(0, 30), st.integers(1, 1000), min_size=1),
    st.integers(1, 40),
    st.integers(1, 8),
)
def test_nobody_gets_more_than_its_share_rounded_up(
    loads, num_slots, num_engines
):
    found = num_replicas(loads, num_slots, num_engines, name)
    assert len(found) == min(len(loads), num_slots)
    assert all(1 <= num <= num_engines for num in found.values())
    total = sum(loads[k] for k in found)
    for k, num in found.items():
        assert num <= max(1, math.ceil(loads[k] / total * num_slots))
    least = min(loads[k] for k in found)
    assert all(loads[k] <= least for k in loads.keys() - found.keys())


def test_an_adapter_without_load_has_one_home_its_best():
    fleet = setup(4)
    choose, hashed = rule("dynamo").make(fleet), Rendezvous(fleet)
    for k in range(8):
        best = hashed.ranked(k, range(4))[0]
        assert choose(ask(k, range(4))) == best


def test_a_hot_adapter_gets_homes_at_the_next_tick():
    choose = rule("dynamo").make(setup(4, max_loras=2))
    first = {choose(ask(0, range(4), now_s=0.01 * k)) for k in range(100)}
    assert len(first) == 1
    # All of the load: ceil(8 slots), 4 engines. Only where it is loaded
    # already do its requests go, so the new homes stay without any.
    later = {choose(ask(0, range(4), now_s=3 + 0.01 * k)) for k in range(9)}
    assert later == first


def test_homes_where_it_is_loaded_come_first_and_a_dead_one_is_left():
    choose = rule("dynamo").make(setup(3, max_loras=1))
    home = choose(ask(0, range(3)))
    others = [k for k in range(3) if k != home]
    # Its only home dies: its best of the others.
    moved = choose(ask(0, others, now_s=1))
    assert moved in others
    # From the tick at 3 s on it is active, and has all three as homes; only
    # moved has it loaded, since a dead engine forgets.
    found = Counter(
        choose(ask(0, range(3), now_s=4 + 0.1 * k)) for k in range(9)
    )
    assert found == {moved: 9}


def test_the_base_is_dealt_in_turn_and_moves_no_adapter():
    choose = rule("dynamo").make(setup(3))
    home = choose(ask(0, range(3)))
    found = [choose(ask(-1, range(3))) for _ in range(4)]
    assert found == [0, 1, 2, 0]
    assert choose(ask(0, range(3))) == home


def test_a_day_without_requests_is_played_at_once():
    choose = rule("dynamo").make(setup(4))
    for k in range(50):
        choose(ask(k % 2, range(4), now_s=0.1 * k))
    day = 86_400
    fresh = rule("dynamo").make(setup(4))
    for k in range(8):
        late = choose(ask(k, range(4), now_s=day))
        assert late == fresh(ask(k, range(4), now_s=day))
