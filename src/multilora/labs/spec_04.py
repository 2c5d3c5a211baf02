"""The spec of lab 04. Each test takes the functions it tests by name."""

from multilora import slots
from multilora.labs.switch import NotAttemptedError, SlipError
from multilora.published import published
from multilora.traffic import eighty_twenty, zipf


def test_a_miss_then_a_hit(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    _run(cache, [7, 7, 7])
    _require(
        (cache.hits, cache.misses, cache.evictions) == (2, 1, 0),
        f"7, 7, 7 is one miss and two hits, counted {_counts(cache)}",
    )


def test_eviction_is_counted(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    _run(cache, [1, 2, 3, 4])
    _require(
        cache.evictions != 0,
        "evicting without counting: 1, 2, 3, 4 on two slots evicts twice",
    )
    _require(
        (cache.hits, cache.misses, cache.evictions) == (0, 4, 2),
        f"1, 2, 3, 4 on two slots: 4 misses, 2 evictions, counted "
        f"{_counts(cache)}",
    )


def test_the_least_recently_used_goes(AdapterSlotCache):
    cache = AdapterSlotCache(2)
    _run(cache, [1, 2, 1, 3, 1])
    _require(
        cache.hits == 2,
        "1, 2, 1, 3, 1: the second use of 1 must refresh it, so 3 evicts 2 "
        "and 1 hits again; first in, first out is not LRU",
    )


def test_slots_are_stable_and_reused(AdapterSlotCache):
    cache = AdapterSlotCache(3)
    first = _run(cache, [1, 2, 3])
    _require(
        sorted(first) == [0, 1, 2], f"three slots are 0, 1, 2, not {first}"
    )
    _require(
        _run(cache, [3, 1, 2]) == [first[2], first[0], first[1]],
        "an adapter moved to another slot while it was resident",
    )
    _require(
        cache.activate(4) == first[2],
        "the newcomer must take over the evicted adapter's slot",
    )


def test_never_two_adapters_in_one_slot(AdapterSlotCache):
    cache = AdapterSlotCache(4)
    holder = {}
    for adapter_id in zipf(500, 12, seed=3).tolist():
        misses = cache.misses
        slot = cache.activate(adapter_id)
        _require(0 <= slot < 4, f"slot {slot} does not exist")
        if cache.misses == misses:
            _require(
                holder.get(slot) == adapter_id,
                f"a hit on {adapter_id}, but slot {slot} holds "
                f"{holder.get(slot)}: two adapters in one slot",
            )
        holder[slot] = adapter_id


def test_the_base_takes_no_slot(AdapterSlotCache):
    cache = AdapterSlotCache(1)
    _, base, _ = _run(cache, [5, -1, 5])
    _require(base == -1, f"the base must get slot -1, not {base}")
    _require(
        (cache.hits, cache.misses) == (1, 1),
        "the base was counted or took a slot: 5, base, 5 is a miss and a hit",
    )


def test_eighty_twenty_hits_three_quarters(AdapterSlotCache):
    # Two hot adapters of sixteen: with three or four it does not hold.
    cache = AdapterSlotCache(4)
    _run(cache, eighty_twenty(4_000, 16, num_hot=2).tolist())
    if cache.hit_rate is None:
        raise NotAttemptedError("AdapterSlotCache.hit_rate: not attempted yet")
    _require(
        cache.hit_rate > 0.75,
        f"80/20 with 2 hot of 16 on 4 slots hits more than 75 %, "
        f"not {cache.hit_rate:.1%}",
    )


def test_defers_and_goes_on(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", 1), ("e", -1)]
    admitted, deferred = schedule_step(queue, [], 2)
    _require(
        _names(admitted) != "a b",
        "barrier instead of defer: c must wait, but d and e behind it fit",
    )
    _expect_names(admitted, deferred, "a b d e", "c")


def test_the_deferred_keep_their_order(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", 2), ("e", 1)]
    admitted, deferred = schedule_step(queue, [], 1)
    _require(
        _names(deferred) != "d c b",
        "the deferred came back in reverse: nobody may lose his place",
    )
    _expect_names(admitted, deferred, "a e", "b c d")


def test_base_requests_always_pass(schedule_step):
    queue = [("a", 1), ("b", -1), ("c", 2), ("d", -1)]
    admitted, deferred = schedule_step(queue, [("r", 9)], 1)
    _require(
        _names(admitted) != "",
        "the base counts as an adapter here, but it needs no slot",
    )
    _expect_names(admitted, deferred, "b d", "a c")


def test_running_adapters_hold_their_slots(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3)]
    admitted, deferred = schedule_step(queue, [("r", 3)], 2)
    _require(
        _names(admitted) != "a b",
        "running requests were forgotten: adapter 3 already holds a slot",
    )
    _expect_names(admitted, deferred, "a c", "b")


def test_a_full_house_is_a_barrier(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", -1)]
    admitted, deferred = schedule_step(queue, [("r", 1)], 2, max_num_seqs=3)
    _expect_names(admitted, deferred, "a b", "c d")


def test_the_published_example_of_vllm(schedule_step):
    example = published("worked_examples")["vllm_15422"]
    queue = [
        (f"R{number}", adapter_id)
        for number, adapter_id in enumerate(example["adapters"], 1)
    ]
    admitted, deferred = schedule_step(queue, [], example["max_loras"])
    _expect_names(
        admitted,
        deferred,
        " ".join(example["admitted"]),
        " ".join(example["deferred"]),
    )


def test_admitted_fits_the_slots(AdapterSlotCache, schedule_step):
    cache, running = AdapterSlotCache(3), []
    ids = zipf(300, 10, seed=5).tolist()
    waiting = [(str(number), item) for number, item in enumerate(ids)]
    while waiting:
        admitted, waiting = schedule_step(waiting, running, 3)
        _require(bool(admitted or running), "nobody runs, nobody is admitted")
        running = [*running, *admitted]
        slot_of = {item: cache.activate(item) for _, item in running}
        num_slots = len(set(slot_of.values()))
        _require(
            num_slots == len(slot_of),
            f"one step admitted {len(slot_of)} adapters into {num_slots} "
            "slots: they overwrite each other",
        )
        running = running[len(running) // 2 + 1 :]


def test_the_curve_equals_one_cache_a_slot_count(lru_hit_curve):
    trace = [0, 1, 2, 0, 3, 1, -1, 0, 4, 2, 0, 1]
    got = [int(value) for value in lru_hit_curve(trace, 6)]
    wanted = []
    for max_loras in range(1, 7):
        cache = slots.AdapterSlotCache(max_loras)
        _run(cache, trace)
        wanted.append(cache.hits)
    _require(
        got[:-1] != wanted[1:] and got[1:] != wanted[:-1],
        "off by one: entry 0 is one slot",
    )
    _require(got == wanted, f"hits at 1..6 slots are {wanted}, not {got}")


def _run(cache, ids):
    return [cache.activate(adapter_id) for adapter_id in ids]


def _counts(cache):
    return (
        f"{cache.hits} hits, {cache.misses} misses, "
        f"{cache.evictions} evictions"
    )


def _names(requests):
    return " ".join(request[0] for request in requests)


def _expect_names(admitted, deferred, wanted, wanted_deferred):
    got = (_names(admitted), _names(deferred))
    _require(
        got == (wanted, wanted_deferred),
        f"expected {wanted} admitted and {wanted_deferred} deferred, "
        f"got {got[0] or 'nobody'} and {got[1] or 'nobody'}",
    )


def _require(condition, sentence):
    if not condition:
        raise SlipError(sentence)
