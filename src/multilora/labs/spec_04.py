"""The spec of lab 04. Each test takes the functions it tests by name."""

from multilora import slots
from multilora.labs.spec_04_walk import *  # noqa: F403
from multilora.labs.spec_04_walk import walk
from multilora.labs.switch import require
from multilora.traffic import eighty_twenty, zipf
from multilora.units import percent


def test_a_miss_then_a_hit(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    _run(cache, [7, 7, 7])
    require(
        (cache.hits, cache.misses, cache.evictions) == (2, 1, 0),
        f"7, 7, 7 is one miss and two hits, counted {_counts(cache)}",
    )


def test_eviction_is_counted(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    _run(cache, [1, 2, 3, 4])
    require(
        cache.evictions != 0,
        "evicting without counting: 1, 2, 3, 4 on two slots evicts twice",
    )
    require(
        (cache.hits, cache.misses, cache.evictions) == (0, 4, 2),
        f"1, 2, 3, 4 on two slots: 4 misses, 2 evictions, counted "
        f"{_counts(cache)}",
    )


def test_the_least_recently_used_goes(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    _run(cache, [1, 2, 1, 3, 1])
    require(
        cache.hits == 2,
        "1, 2, 1, 3, 1: the second use of 1 must refresh it, so 3 evicts 2 "
        "and 1 hits again; first in, first out is not LRU",
    )


def test_slots_are_stable_and_reused(AdapterSlotCache):
    cache = AdapterSlotCache(3)
    first = _run(cache, [1, 2, 3])
    require(
        sorted(first) == [0, 1, 2], f"three slots are 0, 1, 2, not {first}"
    )
    require(
        _run(cache, [3, 1, 2]) == [first[2], first[0], first[1]],
        "an adapter moved to another slot while it was resident",
    )
    require(
        cache.activate(4) == first[2],
        "the newcomer must take over the evicted adapter's slot",
    )


def test_slots_say_who_is_where(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    for adapter_id, wanted in ((5, [5, None]), (6, [5, 6]), (7, [7, 6])):
        cache.activate(adapter_id)
        require(
            list(cache.slots) == wanted,
            f"slots after {adapter_id} are {wanted}, not {cache.slots}",
        )


def test_never_two_adapters_in_one_slot(AdapterSlotCache):
    cache = AdapterSlotCache(4)
    holder = {}
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
    cache = AdapterSlotCache(1)
    _, base, _ = _run(cache, [5, -1, 5])
    require(base == -1, f"the base must get slot -1, not {base}")
    require(
        (cache.hits, cache.misses) == (1, 1),
        "the base was counted or took a slot: 5, base, 5 is a miss and a hit",
    )


def test_eighty_twenty_hits_three_quarters(AdapterSlotCache):
    # Two hot adapters of sixteen: with three or four it does not hold.
    cache = AdapterSlotCache(4)
    require(
        cache.hit_rate == 0.0,
        f"hit_rate before the first request is 0.0, not {cache.hit_rate}",
    )
    _run(cache, eighty_twenty(4_000, 16, num_hot=2).tolist())
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


def test_admitted_fits_the_slots(AdapterSlotCache, schedule_step):
    cache, running = AdapterSlotCache(3), []
    ids = zipf(300, 10, seed=5).tolist()
    waiting = [(str(number), item) for number, item in enumerate(ids)]
    while waiting:
        admitted, waiting = walk(schedule_step, waiting, running, 3)
        require(bool(admitted or running), "nobody runs, nobody is admitted")
        running = [*running, *admitted]
        slot_of = {item: cache.activate(item) for _, item in running}
        num_slots = len(set(slot_of.values()))
        require(
            num_slots == len(slot_of),
            f"one step admitted {len(slot_of)} adapters into {num_slots} "
            "slots: they overwrite each other",
        )
        running = running[len(running) // 2 + 1 :]


def test_the_curve_equals_one_cache_a_slot_count(lru_hit_curve):
    trace = [0, 1, 2, 0, 3, 1, -1, 0, 4, 2, 0, 1]
    curve = list(lru_hit_curve(trace, 6))
    require(
        all(value == int(value) for value in curve),
        f"hits are counts, but {curve} holds fractions: are these rates?",
    )
    got = [int(value) for value in curve]
    wanted = []
    for max_loras in range(1, 7):
        cache = slots.AdapterSlotCache(max_loras)
        _run(cache, trace)
        wanted.append(cache.hits)
    require(
        got[:-1] != wanted[1:] and got[1:] != wanted[:-1],
        "off by one: entry 0 is one slot",
    )
    require(got == wanted, f"hits at 1..6 slots are {wanted}, not {got}")

    own = len(lru_hit_curve(trace))
    require(
        own == 5,
        f"without num_adapters the curve has one entry for each of the 5 "
        f"distinct adapters, not {own}; the base is none of them",
    )


def _run(cache, ids):
    return [cache.activate(adapter_id) for adapter_id in ids]


def _counts(cache):
    return (
        f"{cache.hits} hits, {cache.misses} misses, "
        f"{cache.evictions} evictions"
    )
