"""GIE 0.3's tree of filters, by hand."""

from collections import Counter

from asked import ask, seen, setup
from multilora.routing.given import Seen
from multilora.routing.rules import rule


def drawn(page, adapter_id=0, num=60, **fleet):
    choose = rule("gie-0.3").make(setup(len(page), **fleet))
    one = ask(adapter_id, range(len(page)), seen=page)
    return Counter(choose(one) for _ in range(num))


def test_the_queue_leaves_the_first_of_as_many_ranges_as_engines():
    # Within 0 + 9 // 3 of the least: 0 and 3, not 4.
    page = [Seen(num_waiting=0), Seen(num_waiting=3), Seen(num_waiting=9)]
    assert set(drawn(page)) == {0, 1}
    page[1] = Seen(num_waiting=4)
    assert set(drawn(page)) == {0}


def test_then_kv_does():
    # Within 0.1 + 0.6 / 3 of the least: 0.1 and 0.3, not 0.7.
    page = [Seen(kv_share=0.3), Seen(kv_share=0.7), Seen(kv_share=0.1)]
    assert set(drawn(page)) == {0, 2}


def test_one_in_a_thousand_goes_to_an_engine_with_room():
    page = [seen({0, 1}), seen({1}), seen({1, 2})]
    # max_loras 3: one name twice is room, two names twice are not.
    found = drawn(page, num=20_000, max_loras=3)
    assert found[2] == 0
    assert 2 <= found[1] <= 50  # 20, standard deviation 4.5
    assert found[0] + found[1] == 20_000


def test_where_no_engine_has_it_those_with_room_do():
    page = [seen({1, 2}), seen({1}), seen({1, 2})]
    assert set(drawn(page, max_loras=3)) == {1}


def test_a_filter_that_leaves_none_is_skipped():
    page = [seen({1, 2}), seen({1, 3}), seen({2, 3})]
    assert set(drawn(page, max_loras=2)) == {0, 1, 2}


def test_affinity_comes_before_the_queue_below_128_requests():
    # Engine 2 is past 128: a long queue, but an engine of the adapter.
    page = [seen(num_waiting=0), seen({0}, num_waiting=127), seen({0})]
    page[2] = page[2]._replace(num_waiting=128)
    assert drawn(page)[1] >= 59
    # All past it: the queue first, so the adapter's engine is out.
    page = [seen(num_waiting=200), seen({0}, num_waiting=400)]
    assert set(drawn(page)) == {0}
