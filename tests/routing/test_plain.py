"""The rules that know nothing of adapters, by examples worked by hand."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from asked import ask, setup
from multilora.routing.rules import rule


def test_round_robin_counts_on_when_an_engine_dies():
    choose = rule("round_robin").make(setup(3))
    assert [choose(ask(0, (0, 1, 2))) for _ in range(4)] == [0, 1, 2, 0]
    # Requests 4 and 5, modulo two engines.
    assert [choose(ask(0, (0, 2))) for _ in range(2)] == [0, 2]


def test_random_is_even():
    choose = rule("random").make(setup(4, seed=1))
    found = Counter(choose(ask(0, range(4))) for _ in range(4000))
    # 1,000 each, standard deviation 27: five of them either way.
    assert all(abs(found[engine] - 1000) < 137 for engine in range(4))


def test_least_running_takes_equals_in_turn():
    choose = rule("least_running").make(setup(3))
    assert choose(ask(0, range(3), [3, 1, 2])) == 1
    # Credits 1 1 1: engine 0 pays 3; -1 2 2: engine 1; -1 -1... 2 is left.
    idle = ask(0, range(3), [0, 0, 0])
    assert [choose(idle) for _ in range(6)] == [0, 1, 2, 0, 1, 2]
    pair = ask(0, range(3), [5, 0, 0])
    assert [choose(pair) for _ in range(4)] == [1, 2, 1, 2]


@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5)))
def test_least_running_is_always_among_the_least(loads):
    choose = rule("least_running").make(setup(5))
    for in_flight in loads:
        chosen = choose(ask(0, (0, 2, 4), in_flight))
        assert in_flight[chosen] == min(in_flight[k] for k in (0, 2, 4))


def test_power_of_two_never_takes_the_most_loaded():
    choose = rule("power_of_two").make(setup(3))
    loaded = ask(0, range(3), [5, 1, 9])
    found = Counter(choose(loaded) for _ in range(3000))
    # Pairs 01 and 12 give engine 1, pair 02 engine 0: two thirds and one.
    assert found[2] == 0
    assert abs(found[1] - 2000) < 130  # five standard deviations of 26


def test_power_of_two_of_one_engine_is_that_engine():
    choose = rule("power_of_two").make(setup(3))
    assert choose(ask(0, (2,), [0, 0, 7])) == 2


def test_power_of_two_takes_either_of_equals():
    choose = rule("power_of_two").make(setup(2))
    found = Counter(choose(ask(0, range(2))) for _ in range(1000))
    assert abs(found[0] - 500) < 80
