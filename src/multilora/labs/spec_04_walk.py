"""The spec of lab 04, second part: one walk of the scheduler."""

from multilora.labs.slips import require
from multilora.labs.spec_04_given import make_cache
from multilora.labs.spec_04_queues import (
    compare_with_plain_walk,
    random_queues,
    walk,
)
from multilora.published import published
from multilora.traffic.generators import zipf


def test_defers_and_goes_on(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", 1), ("e", -1)]
    admitted, deferred = walk(schedule_step, queue, [], 2)
    require(
        _names(admitted) != "a b",
        "barrier instead of defer: c must wait, but d and e behind it fit",
    )
    compare_with_plain_walk(schedule_step, random_queues(10))
    _expect_names(admitted, deferred, "a b d e", "c")


def test_the_deferred_keep_their_order(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", 2), ("e", 1)]
    admitted, deferred = walk(schedule_step, queue, [], 1)
    require(
        _names(deferred) != "d c b",
        "the deferred came back in reverse: nobody may lose their place",
    )
    _expect_names(admitted, deferred, "a e", "b c d")


def test_base_requests_always_pass(schedule_step):
    queue = [("a", 1), ("b", -1), ("c", 2), ("d", -1)]
    admitted, deferred = walk(schedule_step, queue, [("r", 9)], 1)
    require(
        _names(admitted) != "",
        "the base counts as an adapter here, but it needs no slot",
    )
    _expect_names(admitted, deferred, "b d", "a c")


def test_running_adapters_hold_their_slots(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3)]
    admitted, deferred = walk(schedule_step, queue, [("r", 3)], 2)
    require(
        _names(admitted) != "a b",
        "running requests were forgotten: adapter 3 already holds a slot",
    )
    _expect_names(admitted, deferred, "a c", "b")


def test_a_full_house_is_a_barrier(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", -1)]
    admitted, deferred = walk(
        schedule_step, queue, [("r", 1)], 2, max_num_seqs=3
    )
    _expect_names(admitted, deferred, "a b", "c d")
    # Slots for all: what is left of the walk is its seats.
    cases = [(*case[:2], 99, case[3]) for case in random_queues(10)]
    compare_with_plain_walk(schedule_step, cases)


def test_the_published_example_of_vllm(schedule_step):
    example = published("worked_examples")["vllm_15422"]
    queue = [
        (f"R{number}", adapter_id)
        for number, adapter_id in enumerate(example["adapters"], 1)
    ]
    admitted, deferred = walk(schedule_step, queue, [], example["max_loras"])
    _expect_names(
        admitted,
        deferred,
        " ".join(example["admitted"]),
        " ".join(example["deferred"]),
    )


def test_admitted_fits_the_slots(AdapterSlotCache, schedule_step):
    cache = make_cache(AdapterSlotCache, 3)
    running: list[tuple[str, int]] = []
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


def _names(requests):
    return " ".join(request[0] for request in requests)


def _expect_names(admitted, deferred, wanted, wanted_deferred):
    got = (_names(admitted), _names(deferred))
    require(
        got == (wanted, wanted_deferred),
        f"expected {wanted} admitted and {wanted_deferred} deferred, "
        f"got {got[0] or 'nobody'} and {got[1] or 'nobody'}",
    )
