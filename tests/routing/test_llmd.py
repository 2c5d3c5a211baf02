"""llm-d's profiles, by scores worked by hand."""

from collections import Counter

import pytest

from asked import ask, seen, setup
from multilora.routing.given import Seen
from multilora.routing.hashes import fnv
from multilora.routing.rules import rule
from multilora.routing.scores import affinity, load_state


def chosen(name, one, **fleet):
    """Return the engines that a rule draws from for one request."""
    choose = rule(name).make(setup(len(one.engines), **fleet))
    return {choose(one) for _ in range(60)}


def test_the_default_weighs_queue_and_kv_alike():
    # 2 + 2 * .5 = 3; 1 + 2 * .8 = 2.6; 0 + 2 * 1 = 2.
    page = [
        Seen(num_waiting=0, kv_share=0.5),
        Seen(num_waiting=2, kv_share=0.2),
        Seen(num_waiting=4, kv_share=0.0),
    ]
    assert chosen("llm-d-default", ask(0, range(3), seen=page)) == {0}
    # Without engine 0: 2 + 1.6 = 3.6 against 0 + 2.
    assert chosen("llm-d-default", ask(0, (1, 2), seen=page)) == {1}


def test_the_default_draws_among_equals_and_reads_no_adapter():
    page = [seen({0}, num_waiting=1), seen(num_waiting=1), seen({5})]
    one = ask(0, (0, 1), seen=page)
    assert chosen("llm-d-default", one) == {0, 1}


def test_a_shared_prefix_pins_what_no_scorer_does():
    idle = [Seen(), Seen(), Seen()]
    choose = rule("llm-d-default").make(setup(3, prefix_share=0.5))
    first = choose(ask(0, range(3), seen=idle))
    assert {choose(ask(0, range(3), seen=idle)) for _ in range(40)} == {first}
    # 3 * .5 is less than the whole queue, 2.
    busy = [Seen(num_waiting=k == first) for k in range(3)]
    assert choose(ask(0, range(3), seen=busy)) != first


# Names 1 and 2 run and wait, as vLLM writes them: one set twice.
@pytest.mark.parametrize(
    ("max_loras", "before", "after"),
    [(2, [1.0, 0.0], [1.0, 0.0]),
     (3, [1.0, 0.0], [1.0, 0.8]),
     (4, [1.0, 0.0], [1.0, 0.8]),
     (5, [1.0, 0.8], [1.0, 0.8])],
)  # fmt: skip
def test_pull_2625_ends_the_double_count(max_loras, before, after):
    page = [seen({0, 1}), seen({1, 2})]
    one, fleet = ask(0, range(2), seen=page), setup(2, max_loras=max_loras)
    assert affinity(fleet, is_union=False)(one) == before
    assert affinity(fleet, is_union=True)(one) == after


def test_a_name_that_only_waits_scores_less_than_room():
    # No vLLM writes this: a name that waits and does not run.
    page = [seen({1, 2}, {0}), seen({1}, {0})]
    one, fleet = ask(0, range(2), seen=page), setup(2, max_loras=3)
    assert affinity(fleet, is_union=True)(one) == [0.6, 0.8]


def test_an_idle_resident_scores_as_any_engine_with_room():
    page = [seen(in_slots=frozenset({0})), seen()]
    one = ask(0, range(2), seen=page)
    assert chosen("llm-d-lora-affinity", one) == {0, 1}
    assert chosen("llm-d-lora-load-state", one) == {0}


def test_affinity_yields_to_the_queue():
    # 1.0 - 0.8 of affinity against 2 of queue.
    page = [seen({0}, num_waiting=1), seen()]
    assert chosen("llm-d-lora-affinity", ask(0, range(2), seen=page)) == {1}
    page = [seen({0}, num_waiting=1), seen(num_waiting=1)]
    assert chosen("llm-d-lora-affinity", ask(0, range(2), seen=page)) == {0}


def test_load_state_scores_where_the_weights_are():
    slots = frozenset({1, 2})
    page = [
        seen(in_slots=frozenset({0, 1})),  # in a slot
        seen(in_slots=slots, in_cpu=frozenset({0})),  # in the CPU cache
        seen(in_slots=frozenset({1})),  # one of two slots is free
        seen({1}, in_slots=slots),  # 2 is idle: it may be evicted
        seen({1, 2}, in_slots=slots),  # no slot to be had
    ]
    fleet = setup(5, max_loras=2)
    scores = load_state(fleet)(ask(0, range(5), seen=page))
    # 0.94 of the tier, and 0.03 of the half of engine 2's slots.
    plain = [0.94, 0.658, 0.564 + 0.015, 0.282, 0.0]
    extra = [one - two for one, two in zip(scores, plain, strict=True)]
    # 0.03 for the one engine that the hash prefers; none if it is 0, which
    # has the adapter in a slot.
    urls = [f"adapter-0\0http://engine-{k}:8000".encode() for k in range(5)]
    home = max(range(5), key=lambda k: fnv(urls[k]))
    assert extra == pytest.approx([0.03 * (k == home != 0) for k in range(5)])


def test_load_state_sends_first_misses_of_an_adapter_to_one_engine():
    fleet = setup(4, num_adapters=40)
    idle = [Seen()] * 4
    choose = rule("llm-d-lora-load-state").make(fleet)
    homes = {
        k: {choose(ask(k, range(4), seen=idle)) for _ in range(5)}
        for k in range(40)
    }
    assert all(len(home) == 1 for home in homes.values())
    found = Counter(home for homes_ in homes.values() for home in homes_)
    assert set(found) == {0, 1, 2, 3}


def test_the_base_goes_where_slots_are_free():
    page = [seen(in_slots=frozenset({1, 2})), seen(in_slots=frozenset({1}))]
    fleet = setup(2, max_loras=2)
    scores = load_state(fleet)(ask(-1, range(2), seen=page))
    assert scores == [0.0, pytest.approx(0.47)]
