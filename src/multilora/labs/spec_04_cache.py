"""The spec of lab 04, first part: the slot cache, by hand and at random."""

import numpy as np

from multilora.labs.slips import require
from multilora.labs.spec_04_given import (
    counts,
    make_cache,
    name_first_other_step,
    name_policy,
    run_all,
)
from multilora.traffic.generators import eighty_twenty, zipf
from multilora.units import percent


def test_a_miss_then_a_hit(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 2)
    run_all(cache, [7, 7, 7])
    require(
        (cache.hits, cache.misses, cache.evictions) == (2, 1, 0),
        f"7, 7, 7 is one miss and two hits, counted {counts(cache)}",
    )


def test_eviction_is_counted(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 2)
    run_all(cache, [1, 2, 3, 4])
    require(
        cache.evictions != 0,
        "evicting without counting: 1, 2, 3, 4 on two slots evicts twice",
    )
    require(
        (cache.hits, cache.misses, cache.evictions) == (0, 4, 2),
        f"1, 2, 3, 4 on two slots: 4 misses, 2 evictions, counted "
        f"{counts(cache)}",
    )


def test_the_least_recently_used_goes(AdapterSlotCache):
    name_policy(AdapterSlotCache, _traces())
    cache = make_cache(AdapterSlotCache, 2)
    run_all(cache, [1, 2, 1, 3, 1])
    require(
        cache.hits == 2,
        "1, 2, 1, 3, 1: the second use of 1 must refresh it, so 3 evicts 2 "
        f"and 1 hits again, counted {counts(cache)}",
    )


def test_slots_are_stable_and_reused(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 3)
    first = run_all(cache, [1, 2, 3])
    require(
        sorted(first) == [0, 1, 2], f"three slots are 0, 1, 2, not {first}"
    )
    require(
        run_all(cache, [3, 1, 2]) == [first[2], first[0], first[1]],
        "an adapter moved to another slot while it was resident",
    )
    require(
        cache.activate(4) == first[2],
        "the newcomer must take over the evicted adapter's slot",
    )


def test_slots_say_who_is_where(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 2)
    for adapter_id, wanted in ((5, [5, None]), (6, [5, 6]), (7, [7, 6])):
        cache.activate(adapter_id)
        require(
            list(cache.slots) == wanted,
            f"slots after {adapter_id} are {wanted}, not {cache.slots}",
        )


def test_never_two_adapters_in_one_slot(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 4)
    holder: dict[int, int] = {}
    for adapter_id in zipf(500, 12, seed=3).tolist():
        misses = cache.misses
        slot = cache.activate(adapter_id)
        require(0 <= slot < 4, f"slot {slot} does not exist")
        if cache.misses == misses:
            require(
                holder.get(slot) == adapter_id,
                f"a hit on {adapter_id}, but slot {slot} holds "
                f"{holder.get(slot)}: two adapters in one slot",
            )
        holder[slot] = adapter_id


def test_the_base_takes_no_slot(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 1)
    _, base, _ = run_all(cache, [5, -1, 5])
    require(base == -1, f"the base must get slot -1, not {base}")
    require(
        (cache.hits, cache.misses) == (1, 1),
        "the base was counted or took a slot: 5, base, 5 is a miss and a hit",
    )


def test_eighty_twenty_hits_three_quarters(AdapterSlotCache):
    # Two hot adapters of sixteen: with three or four it does not hold.
    cache = make_cache(AdapterSlotCache, 4)
    require(
        cache.hit_rate == 0.0,
        f"hit_rate before the first request is 0.0, not {cache.hit_rate}",
    )
    run_all(cache, eighty_twenty(4_000, 16, num_hot=2).tolist())
    share = cache.hits / (cache.hits + cache.misses)
    require(
        cache.hit_rate == share,
        f"hit_rate is hits over hits and misses, {share:.3f}, "
        f"not {cache.hit_rate:.3f}",
    )
    require(
        cache.hit_rate > 0.75,
        f"80/20 with 2 hot of 16 on 4 slots hits more than 75 %, "
        f"not {percent(cache.hit_rate)}",
    )


def test_adapter_0_is_an_adapter(AdapterSlotCache):
    cache = make_cache(AdapterSlotCache, 2)
    run_all(cache, [0, 1, 0, 1])
    require(
        (cache.hits, cache.misses) == (2, 2),
        "0, 1, 0, 1 is two misses and two hits, counted "
        f"{counts(cache)}; is adapter 0 or slot 0 taken for nothing? Ask "
        "`is None`, not `if not`",
    )


def test_two_caches_share_nothing(AdapterSlotCache):
    first = make_cache(AdapterSlotCache, 2)
    second = make_cache(AdapterSlotCache, 2)
    run_all(first, [1, 2, 1])
    run_all(second, [2])
    require(
        (second.hits, second.misses, list(second.slots)) == (0, 1, [2, None]),
        "two caches share their slots or counts: set them in __init__, not "
        "in the class",
    )


def test_every_step_is_that_of_a_plain_list(AdapterSlotCache):
    for max_loras, trace in enumerate(_traces(), 1):
        name_first_other_step(AdapterSlotCache, max_loras, trace)


def _traces():
    rng = np.random.default_rng(4)
    return [rng.integers(-1, 7, 60).tolist() for _ in range(5)]
