"""Sticky least loaded: sessions are counted, not their requests."""

from collections import Counter

from asked import ask, setup
from multilora.routing.rules import rule

HOUR = 3600
PORTS = tuple(f"http://127.0.0.1:800{number}" for number in (1, 2, 3, 4))
NAMES = tuple(f"tenant-{number}" for number in range(16))


def made(num_engines=4):
    return rule("sticky_least_loaded").make(
        setup(num_engines, 16, urls=PORTS[:num_engines], names=NAMES)
    )


def test_it_is_what_vllm_router_chose():
    # vllm-router 0.1.17 over these URLs, X-Session-ID tenant-0 to tenant-15.
    real = [0, 1, 3, 2, 3, 0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3]
    choose = made()
    assert [choose(ask(k, range(4))) for k in range(16)] == real


def test_new_sessions_are_dealt_evenly_whatever_they_ask_for():
    choose = made(2)
    for _ in range(100):
        hot = choose(ask(0, range(2)))
    found = Counter(choose(ask(k, range(2))) for k in range(8))
    assert found == {0: 4, 1: 4}
    assert choose(ask(0, range(2))) == hot


def test_only_the_sessions_of_a_dead_engine_move_and_stay_moved():
    choose = made(3)
    before = [choose(ask(k, range(3))) for k in range(9)]
    after = [choose(ask(k, (0, 1))) for k in range(9)]
    assert all(b in (2, a) for b, a in zip(before, after, strict=True))
    assert sorted(Counter(after).values()) == [4, 5]
    assert [choose(ask(k, range(3))) for k in range(9)] == after


def test_a_session_ends_two_hours_after_its_last_request():
    choose = made(2)
    first = choose(ask(0, range(2)))
    other = choose(ask(1, range(2)))
    assert {first, other} == {0, 1}
    # Session 1 goes on, session 0 ends: its engine is the least loaded.
    choose(ask(1, range(2), now_s=1.5 * HOUR))
    assert choose(ask(2, range(2), now_s=2.5 * HOUR)) == first
