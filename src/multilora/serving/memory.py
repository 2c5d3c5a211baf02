"""The compiled engine's memory: records, arrays and one row of numbers."""

from typing import NamedTuple

import numpy as np

from multilora.cache.tiers import AdapterTiers
from multilora.matmul.operands import BASE
from multilora.serving.cost import StepCost
from multilora.serving.limits import Limits
from multilora.serving.trace import Totals, Trace
from multilora.serving.workload import Workload

NONE = -1


def _record(names):
    return np.dtype([(name, np.int64) for name in names.split()])


NUMBERS = _record(
    # the engine's limits and costs
    "max_loras max_num_seqs max_num_batched_tokens max_cpu_loras "
    "num_to_settle block_size has_blocks num_blocks "
    + " ".join(StepCost._fields)
    # where the run stands
    + " "
    "now step load_end num_joined num_waiting num_ready num_running "
    "num_decoding num_active oldest cut cut_left num_walks full_ns "
    # requests told of, how far it may run, how many have finished
    "num_known until num_left "
    # the KV cache; returned: who lost its blocks last, first in the queue
    "free_blocks kv_full_ns returned newest_running "
    # the tiers
    "oldest_copy newest_copy oldest_slot num_slots num_copies "
    # what is summed up
     + " ".join(Totals._fields)
)
KV_NOTES = ("kv_blocked", "preempted", "num_preemptions")
NOTES = tuple(n for n in Trace._fields[:-1] if n not in KV_NOTES)
REQUEST = _record(
    "arrival adapter "
    + " ".join(NOTES)
    # behind: the next that waits for the same adapter; leaves_after: the
    # next of those that leave after the same step; to_prefill and to_make:
    # tokens of the prompt and of the reply that are still to come.
    + " behind is_seated blocked_at_join leaves_after to_prefill to_make"
)
# What only an engine whose KV cache can be full looks at, beside a request:
# small records are quicker to reach.
KV = _record(
    " ".join(KV_NOTES)
    # place: in the queue; before and after: who was admitted, or who
    # returned, next to it; hit: tokens that need not be computed.
    + " place before after since hit decodes_from last_step"
)
ADAPTER = _record(
    # rank: its place in a walk; the base is the last record.
    "is_base rank front back num_behind running blocked left_at "
    # the CPU tier, linked by last use; distance: 0 slot, 1 memory, 2 disk;
    # loaded_from: the distance before the latest walk reached it.
    "older newer distance loaded_from"
)


class Memory(NamedTuple):
    """Records by request and by adapter, and arrays by place."""

    requests: np.ndarray
    kv: np.ndarray  # by request, or one where the cache is never full
    adapters: np.ndarray
    active: np.ndarray  # the adapters that run, by rank
    served: np.ndarray  # the prompts of a step
    leaving: np.ndarray  # a ring of steps: who leaves first
    begins: np.ndarray  # who decodes and begins a block, by step
    left: np.ndarray  # who has finished, in order


def new_memory(
    workload: Workload,
    limits: Limits,
    order: np.ndarray,
    tiers: AdapterTiers,
) -> Memory:
    """Return the Memory of a run that has not begun."""
    requests = no_requests(workload.num_requests)
    requests["arrival"] = workload.arrival_ns
    requests["adapter"] = workload.adapter_ids
    requests["adapter"][workload.adapter_ids == BASE] = workload.num_adapters
    hit = limits.hit_tokens(workload.prompt_tokens)
    requests["to_prefill"] = workload.prompt_tokens - hit
    requests["to_make"] = workload.output_tokens
    adapters = np.zeros(workload.num_adapters + 1, dtype=ADAPTER)
    adapters["rank"][order] = np.arange(len(order))
    for name in ("front", "back", "older", "newer"):
        adapters[name] = NONE
    adapters["distance"] = 2
    adapters["is_base"][-1] = 1
    copies = tiers.cpu_tier
    adapters["distance"][copies] = 1
    adapters["distance"][tiers.lru_order] = 0
    adapters["older"][copies[1:]] = copies[:-1]
    adapters["newer"][copies[:-1]] = copies[1:]
    return Memory(
        requests,
        kv_records(hit) if limits.num_gpu_blocks else np.zeros(1, dtype=KV),
        adapters,
        np.zeros(min(limits.max_loras, len(order)), dtype=np.int64),
        np.zeros(limits.max_num_seqs + 1, dtype=np.int64),
        np.full(_power_of_two(workload.output_tokens.max() + 1), NONE),
        np.zeros(limits.block_size, dtype=np.int64),
        np.zeros(workload.num_requests, dtype=np.int64),
    )


def no_requests(num: int) -> np.ndarray:
    """Return records of requests that nobody has asked yet."""
    requests = np.zeros(num, dtype=REQUEST)
    requests["behind"] = requests["leaves_after"] = NONE
    return requests


def kv_records(hit: np.ndarray) -> np.ndarray:
    """Return records of requests that hold no block yet, by their hits."""
    kv = np.zeros(len(hit), dtype=KV)
    kv["before"] = kv["after"] = NONE
    kv["place"] = np.arange(len(hit))
    kv["hit"] = hit
    return kv


def new_numbers(
    limits: Limits, cost: StepCost, num_to_settle: int, tiers: AdapterTiers
) -> np.ndarray:
    """Return the record of numbers of a run that has not begun."""
    numbers = np.zeros(1, dtype=NUMBERS)
    for source in (limits._asdict(), cost._asdict()):
        for name in source.keys() & set(NUMBERS.names):
            numbers[name] = source[name]
    numbers["num_to_settle"] = num_to_settle
    for name in ("cut", "returned", "newest_running"):
        numbers[name] = NONE
    if limits.num_gpu_blocks is not None:
        numbers["has_blocks"] = 1
        for name in ("num_blocks", "free_blocks"):
            numbers[name] = limits.num_gpu_blocks
    copies, slots = tiers.cpu_tier, tiers.lru_order
    numbers["num_copies"], numbers["num_slots"] = len(copies), len(slots)
    numbers["oldest_copy"] = copies[0] if copies else NONE
    numbers["newest_copy"] = copies[-1] if copies else NONE
    numbers["oldest_slot"] = slots[0] if slots else NONE
    return numbers


def _power_of_two(least):
    return 1 << int(least - 1).bit_length()
