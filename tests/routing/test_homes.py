"""Rules with a home an adapter: AIBrix, production-stack, Ray, placed."""

from collections import Counter

from asked import ask, seen, setup
from multilora.routing.ray import multiplexed
from multilora.routing.rules import rule


def test_aibrix_places_each_adapter_on_the_pod_with_the_fewest():
    choose = rule("aibrix").make(setup(3, num_adapters=5))
    # In order: 0 1 2, then the first of equals.
    assert [choose(ask(k, range(3))) for k in range(5)] == [0, 1, 2, 0, 1]
    # Pod 0 dies. Pods 1 and 2 have two and one: 0 goes to 2, then 3 to 1.
    assert [choose(ask(k, (1, 2))) for k in (0, 3)] == [2, 1]
    # Pod 0 comes back with nothing, and nobody moves to it but a new one.
    assert [choose(ask(k, range(3))) for k in (0, 3, 5)] == [2, 1, 0]


def test_aibrix_sends_requests_to_the_home_whatever_its_load():
    choose = rule("aibrix").make(setup(2, num_adapters=2))
    assert choose(ask(0, range(2), [99, 0])) == 0
    assert choose(ask(-1, range(2), [99, 0])) == 1


def test_aibrix_places_on_holders_only():
    choose = rule("aibrix").make(setup(3, num_adapters=3))
    assert choose(ask(0, range(3), holders=(2,))) == 2


def test_production_stack_counts_all_models_together():
    choose = rule("production-stack-roundrobin").make(setup(12))
    # URLs as text: engine-10, engine-11, engine-2.
    one = ask(0, range(12), holders=(2, 10, 11))
    assert [choose(one) for _ in range(3)] == [10, 11, 2]
    choose(ask(1, range(12), holders=(5,)))  # request 3
    assert choose(one) == 11  # request 4 of 3 endpoints


def test_production_stack_sessions_are_one_home_among_the_holders():
    choose = rule("production-stack-session").make(setup(4, num_adapters=40))
    before = {k: choose(ask(k, range(4))) for k in range(40)}
    assert set(before.values()) == {0, 1, 2, 3}
    after = {k: choose(ask(k, (0, 1, 3))) for k in range(40)}
    assert all(after[k] == before[k] for k in range(40) if before[k] != 2)
    held = {choose(ask(k, range(4), holders=(1, 2))) for k in range(40)}
    assert held == {1, 2}


def test_ray_goes_to_a_replica_that_holds_the_id():
    page = [seen(), seen(in_slots=frozenset({0, 1})), seen()]
    choose = multiplexed(setup(3))
    one = ask(0, range(3), [0, 4, 0], page)
    assert {choose(one) for _ in range(50)} == {1}


def test_ray_leaves_a_replica_with_five_requests_for_the_emptiest():
    page = [
        seen(in_slots=frozenset({2})),
        seen(in_slots=frozenset({0, 1})),
        seen(in_slots=frozenset({1})),
        seen(in_slots=frozenset({2, 3})),
    ]
    choose = multiplexed(setup(4))
    full = ask(0, range(4), [0, 5, 0, 0], page)
    assert {choose(full) for _ in range(50)} == {0, 2}  # one id each
    # Those two full as well: any replica with room.
    fuller = ask(0, range(4), [5, 5, 5, 0], page)
    found = Counter(choose(fuller) for _ in range(200))
    # 3 is one of the two drawn in half of the pairs.
    assert 65 <= found[3] <= 135
    patient = multiplexed(setup(4), max_ongoing=10)
    assert {patient(full) for _ in range(50)} == {1}


def test_ray_spreads_an_id_that_nobody_holds_yet():
    page = [seen(), seen(), seen(in_slots=frozenset({1}))]
    choose = multiplexed(setup(3))
    assert {choose(ask(0, range(3), seen=page)) for _ in range(50)} == {0, 1}


def test_placed_takes_the_least_loaded_home():
    choose = rule("placed").make(setup(4))
    assert choose(ask(0, range(4), [0, 3, 0, 2], holders=(1, 3))) == 3
    assert choose(ask(0, range(4), [0, 2, 0, 2], holders=(1, 3))) == 1
    assert choose(ask(0, (0, 2), [4, 0, 3, 0], holders=())) == 2


def test_placed_in_turn_deals_each_tenants_own_requests():
    choose = rule("placed-in-turn").make(setup(4))
    hot, cold = (0, 2, 3), (1, 3)
    found = []
    for adapter_id, homes in ((0, hot), (0, hot), (1, cold), (0, hot)):
        found.append(choose(ask(adapter_id, range(4), holders=homes)))
    assert found == [0, 2, 1, 3]
    assert choose(ask(1, range(4), holders=cold)) == 3
    assert choose(ask(1, (0, 2), holders=())) == 0
