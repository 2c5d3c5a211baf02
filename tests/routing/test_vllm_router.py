"""The rules named after vllm-router choose as the real one does."""

import threading
import time
from collections import Counter

import pytest

from multilora.routing.given import Ask, Setup
from multilora.routing.rules import rule
from routed import engines, router

pytestmark = pytest.mark.peers

NAMES = tuple(f"tenant-{number}" for number in range(40))
# A walk over the adapters: each again and again, none in a row.
WALK = [(7 * i * i + 3 * i) % len(NAMES) for i in range(120)]
QUICK_HEALTH = (
    "--health-check-interval-secs", "1", "--health-failure-threshold", "1",
    "--health-success-threshold", "1",
)  # fmt: skip


def made(name, started, seed=0):
    num = len(started)
    urls = tuple(engine.url for engine in started)
    return rule(name).make(
        Setup(num, len(NAMES), (4,) * num, seed, urls, NAMES)
    )


def asks(adapter_id, alive, in_flight=(0,) * 9):
    return Ask(adapter_id, 0, alive, alive, in_flight, ())


@pytest.mark.parametrize("name", ["consistent_hash", "sticky_least_loaded"])
def test_with_the_header_every_choice_is_the_routers(name):
    with engines(4) as started:
        choose = made(name, started)
        with router([e.url for e in started], name) as ask:
            real = [ask(NAMES[k], NAMES[k]) for k in WALK]
        assert real == [choose(asks(k, range(4))) for k in WALK]
        assert len(set(real)) == 4


def test_chats_without_a_session_land_on_one_engine():
    with engines(4) as started:
        choose = made("consistent_hash-no-header", started)
        with router([e.url for e in started], "consistent_hash") as ask:
            texts = [[{"role": "user", "content": f"{k} " * k}] for k in WALK]
            real = {
                ask(NAMES[k], messages=text)
                for k, text in zip(WALK, texts, strict=True)
            }
        assert real == {choose(asks(k, range(4))) for k in WALK}
        assert len(real) == 1


def test_round_robin_is_ours_in_the_order_that_it_started_with():
    with engines(4) as started:
        with router([e.url for e in started], "round_robin") as ask:
            real = [ask(NAMES[k]) for k in WALK]
        order = real[:4]  # the router keeps its engines in a hash map
        assert sorted(order) == [0, 1, 2, 3]
        choose = made("round_robin", started)
        assert real == [choose(asks(k, order)) for k in WALK]


def test_random_draws_each_engine_as_often_as_ours():
    with engines(3) as started:
        with router([e.url for e in started], "random") as ask:
            real = Counter(ask(NAMES[0]) for _ in range(300))
        choose = made("random", started)
        ours = Counter(choose(asks(0, range(3))) for _ in range(300))
    for found in (real, ours):
        # 100 each, standard deviation 8.2: five of them either way.
        assert all(59 <= found[engine] <= 141 for engine in range(3))


def held(engine, ask, num_requests):
    """Keep requests on an engine: only those sent there are kept waiting."""
    engine.free.clear()
    threads = []
    while engine.num_asked < num_requests:
        threads.append(threading.Thread(target=ask, args=[NAMES[0]]))
        threads[-1].start()
        time.sleep(0.02)
    return threads


def test_power_of_two_avoids_the_engine_with_a_request_in_flight():
    with (
        engines(3) as started,
        router([e.url for e in started], "power_of_two") as ask,
    ):
        threads = held(started[0], ask, 1)
        real = Counter(ask(NAMES[1]) for _ in range(200))
        started[0].free.set()
        for thread in threads:
            thread.join()
        choose = made("power_of_two", started)
        loaded = asks(1, range(3), (1, 0, 0))
        ours = Counter(choose(loaded) for _ in range(200))
    for found in (real, ours):
        # Of any two engines one is idle; 100 each, standard deviation 7.1.
        assert found[0] == 0
        assert all(65 <= found[engine] <= 135 for engine in (1, 2))


@pytest.mark.parametrize("name", ["consistent_hash", "sticky_least_loaded"])
def test_the_adapters_of_a_dead_engine_go_where_ours_go(name):
    with engines(4) as started:
        choose = made(name, started)
        urls = [e.url for e in started]
        with router(urls, name, *QUICK_HEALTH) as ask:
            before = {k: ask(NAMES[k], NAMES[k]) for k in range(20)}
            ours = {k: choose(asks(k, range(4))) for k in range(20)}
            assert before == ours
            dead = Counter(before.values()).most_common(1)[0][0]
            alive = [k for k in range(4) if k != dead]
            started[dead].close()
            time.sleep(2.5)
            after = {k: ask(NAMES[k], NAMES[k]) for k in range(20)}
        assert after == {k: choose(asks(k, alive)) for k in range(20)}
        assert {after[k] for k in before if before[k] == dead} <= set(alive)
