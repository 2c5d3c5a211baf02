"""Who leaves a full slot cache: six answers, and the hits each one gets.

Every adapter takes one slot, and every miss is loaded. A policy is a
function of a trace of adapter ids and a number of slots; it returns hits.
"""

from bisect import insort
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Concatenate, ParamSpec

import numpy as np
import numpy.typing as npt

from multilora.arguments import Names, choice, integer, items, names
from multilora.cache.hitrate import check_trace
from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS, SetOrder, steps_of

ROWS_PER_STEP = 16

P = ParamSpec("P")  # what a policy takes besides a trace and slots


def _checked(
    policy: Callable[Concatenate[list[int], int, P], int],
) -> Callable[Concatenate[npt.ArrayLike, int, P], int]:
    """Let a policy see a list of ids without base rows, and a good number."""

    @wraps(policy)
    def checked(trace, num_slots, *options, **named):
        num_slots = integer("num_slots", num_slots, minimum=1)
        trace = check_trace(trace).tolist()
        return policy(trace, num_slots, *options, **named)

    return checked


@_checked
def lru_hits(trace: list[int], num_slots: int) -> int:
    """Return hits when the least recently used adapter leaves."""
    return _front_leaves(trace, num_slots, renew=OrderedDict.move_to_end)


@_checked
def fifo_hits(trace: list[int], num_slots: int) -> int:
    """Return hits when the adapter that was loaded first leaves."""
    return _front_leaves(trace, num_slots, renew=lambda *_: None)


def _front_leaves(trace, num_slots, renew):
    """Count hits of a queue; renew(queue, adapter_id) is what a hit does."""
    queue: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for adapter_id in trace:
        if adapter_id in queue:
            renew(queue, adapter_id)
            hits += 1
            continue
        if len(queue) == num_slots:
            queue.popitem(last=False)
        queue[adapter_id] = None
    return hits


@_checked
def lfu_hits(trace: list[int], num_slots: int) -> int:
    """Return hits when the adapter used least often since its load leaves.

    Among equals the least recently used leaves. An evicted one's count is
    forgotten.
    """
    uses: dict[int, int] = {}  # adapter id -> uses since its load
    # uses -> adapter ids, oldest use first
    used: defaultdict[int, OrderedDict] = defaultdict(OrderedDict)
    hits, fewest = 0, 1
    for adapter_id in trace:
        count = uses.get(adapter_id, 0)
        if count:
            hits += 1
            del used[count][adapter_id]
            if not used[count]:
                del used[count]
                fewest += count == fewest
        else:
            if len(uses) == num_slots:
                del uses[used[fewest].popitem(last=False)[0]]
            fewest = 1
        uses[adapter_id] = count + 1
        used[count + 1][adapter_id] = None
    return hits


@_checked
def sieve_hits(trace: list[int], num_slots: int) -> int:
    """Return hits of SIEVE: a hand walks from the oldest load to the newest.

    It clears the marks that hits have left; whom it finds unmarked leaves,
    and there it stays. A newcomer is unmarked, behind the newest.
    Source: Zhang and others 2024, SIEVE is Simpler than LRU, algorithm 1.
    """
    queue: list[int] = []  # oldest load first
    marked: dict[int, bool] = {}
    hand = hits = 0
    for adapter_id in trace:
        if adapter_id in marked:
            marked[adapter_id] = True
            hits += 1
            continue
        if len(queue) == num_slots:
            while marked[queue[hand]]:
                marked[queue[hand]] = False
                hand = (hand + 1) % num_slots
            del marked[queue.pop(hand)]
            hand %= num_slots - 1 or 1  # the newest left: back to the oldest
        queue.append(adapter_id)
        marked[adapter_id] = False
    return hits


@_checked
def belady_hits(trace: list[int], num_slots: int) -> int:
    """Return hits when the adapter needed furthest in the future leaves.

    No policy that loads every miss hits more often (Belady 1966, A Study of
    Replacement Algorithms). Each request takes a binary search among the
    slots and moves at most num_slots numbers.
    """
    # A cached adapter is known by its next use: it is a hit when that is now.
    next_uses: list[int] = []
    hits = 0
    for now, later in enumerate(_next_uses(trace)):
        if next_uses and next_uses[0] == now:
            hits += 1
            del next_uses[0]
        elif len(next_uses) == num_slots:
            next_uses.pop()
        insort(next_uses, later)
    return hits


def _next_uses(trace):
    """Return where each request's adapter is asked for next; len: never."""
    later = [0] * len(trace)
    seen: dict[int, int] = {}
    for now in range(len(trace) - 1, -1, -1):
        later[now] = seen.get(trace[now], len(trace))
        seen[trace[now]] = now
    return later


@_checked
def vllm_hits(
    trace: list[int],
    num_slots: int,
    rows_per_step: int = ROWS_PER_STEP,
    seed: int = 0,
    walk: str = "one by one",
) -> int:
    """Return hits of LRU slots that are filled a step at a time, as vLLM's.

    Steps are cut from the trace in order: at most rows_per_step requests
    and num_slots distinct adapters each. A step's adapters are activated by
    `walk` (walks.WALKS) in the order of a Python set, SetOrder of seed. Hits
    are requests that needed no load. In vLLM a request spans many steps;
    here it is in one, so that policies see the same trace.
    """
    way = WALKS[choice("walk", walk, WALKS)]
    distinct, ids = np.unique(trace, return_inverse=True)
    in_set_order = SetOrder(len(distinct), seed)
    tiers = AdapterTiers(num_slots)
    for step in steps_of(ids.tolist(), num_slots, rows_per_step):
        tiers.walk_step(in_set_order(step), way)
    return len(trace) - tiers.slot_loads


POLICIES = {
    "lru": lru_hits,
    "fifo": fifo_hits,
    "lfu": lfu_hits,
    "sieve": sieve_hits,
    "vllm": vllm_hits,
    "belady": belady_hits,
}


def policy_hits(
    trace: npt.ArrayLike, num_slots: int, policy: str = "lru"
) -> int:
    """Return the hits of a policy, by its name in POLICIES, on a trace.

    trace is a sequence of adapter ids (0 and up); base rows (-1) take no
    slot and are left out. Raises ValueError for an empty trace, ids below
    -1, no slots or an unknown policy; TypeError for what is no integer.
    """
    return POLICIES[choice("policy", policy, POLICIES)](trace, num_slots)


def policy_table(
    trace: npt.ArrayLike,
    slots: Iterable[int],
    policies: Names = tuple(POLICIES),
) -> dict[str, list[float]]:
    """Return {policy: its hit rate at each of `slots`}, rates 0.0 to 1.0.

    The arguments and errors are those of policy_hits, with a row of slot
    counts and a list of names.
    """
    trace = check_trace(trace)
    slots = items("slots", slots, object)
    return {
        policy: [
            policy_hits(trace, num_slots, policy) / len(trace)
            for num_slots in slots
        ]
        for policy in names("policies", policies)
    }
