"""The spec of lab 04, second part: one walk of the scheduler."""

from multilora.labs.switch import require
from multilora.published import published


def test_defers_and_goes_on(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", 1), ("e", -1)]
    admitted, deferred = walk(schedule_step, queue, [], 2)
    require(
        _names(admitted) != "a b",
        "barrier instead of defer: c must wait, but d and e behind it fit",
    )
    _expect_names(admitted, deferred, "a b d e", "c")


def test_the_deferred_keep_their_order(schedule_step):
    queue = [("a", 1), ("b", 2), ("c", 3), ("d", 2), ("e", 1)]
    admitted, deferred = walk(schedule_step, queue, [], 1)
    require(
        _names(deferred) != "d c b",
        "the deferred came back in reverse: nobody may lose his place",
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


def walk(schedule_step, waiting, running, max_loras, **options):
    """One walk, whose two results must be the queue, and change nothing."""
    given = (list(waiting), list(running))
    result = schedule_step(waiting, running, max_loras, **options)
    require(
        isinstance(result, tuple) and len(result) == 2,
        f"the result is {result!r:.40}, but must be (admitted, deferred)",
    )
    require(
        (list(waiting), list(running)) == given,
        "waiting or running was changed in place: build new lists",
    )
    admitted, deferred = result
    require(
        len(admitted) + len(deferred) == len(waiting),
        f"{len(waiting)} requests waited, but {len(admitted)} are admitted "
        f"and {len(deferred)} deferred: none may be lost or doubled",
    )
    return admitted, deferred


def _names(requests):
    return " ".join(request[0] for request in requests)


def _expect_names(admitted, deferred, wanted, wanted_deferred):
    got = (_names(admitted), _names(deferred))
    require(
        got == (wanted, wanted_deferred),
        f"expected {wanted} admitted and {wanted_deferred} deferred, "
        f"got {got[0] or 'nobody'} and {got[1] or 'nobody'}",
    )
