"""In which order a step's adapters are activated: vLLM's way, and two more.

Adapters are activated one after the other, and the order decides how many
loads one newcomer costs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from multilora.arguments import integer, items, shown
from multilora.cache.sets import walked
from multilora.matmul.operands import BASE

MAX_IN_A_SET = 10**6


def step_adapters(adapter_ids: Iterable[int], max_loras: int) -> list[int]:
    """Return the distinct adapters of a step in the order of first mention.

    Base rows (-1) are left out. Raises ValueError for more distinct adapters
    than max_loras, as vLLM's worker does, and for an id below -1.
    """
    found = [
        integer("adapter_ids", adapter_id, minimum=BASE)
        for adapter_id in items("adapter_ids", adapter_ids, object)
    ]
    distinct = [item for item in dict.fromkeys(found) if item != BASE]
    if len(distinct) > max_loras:
        raise ValueError(
            f"adapter_ids names {len(distinct)} distinct adapters, but a "
            f"step holds at most max_loras = {max_loras}"
        )
    return distinct


def steps_of(
    trace: Iterable[int], max_loras: int, rows_per_step: int
) -> list[dict[int, None]]:
    """Return the distinct adapters of each step, in order of first mention.

    Steps are cut from a trace in order: at most rows_per_step requests and
    max_loras distinct adapters each. The trace, without base rows, and
    max_loras are taken as given. Raises ValueError for rows_per_step below 1.
    """
    rows_per_step = integer("rows_per_step", rows_per_step, minimum=1)
    steps: list[dict[int, None]] = []
    step: dict[int, None] = {}
    num_rows = rows_per_step
    for adapter_id in trace:
        is_full = len(step) == max_loras and adapter_id not in step
        if is_full or num_rows == rows_per_step:
            step, num_rows = {}, 0
            steps.append(step)
        step[adapter_id] = None
        num_rows += 1
    return steps


def _as_given(cache, adapter_ids):
    return adapter_ids


def _nearest_first(cache, adapter_ids):
    return sorted(adapter_ids, key=cache.distance)


class Walk(NamedTuple):
    """An order in which to activate, and whether the step is protected.

    order(cache, adapter_ids) returns the ids in the order of the walk. If
    is_protected, no adapter of the step may be evicted by another of it.
    After num_to_settle walks over the same adapters, one more changes
    nothing.
    """

    order: Callable[..., Sequence[int]]
    is_protected: bool = False
    num_to_settle: int = 1


# "one by one" is vLLM's LRUCacheWorkerLoRAManager._apply_adapters: the order
# given, which there is that of a Python set (SetOrder).
# "residents first" takes what has a slot, then CPU copies, then the disk's.
# Those used just now are the last to go, so no newcomer drives out an adapter
# of its own step: one load for each absent one, no more. Once all have slots
# they are walked as given, which reorders the LRU once more.
# "ideal" is a textbook LRU with running adapters pinned.
WALKS = {
    "one by one": Walk(_as_given),
    "residents first": Walk(_nearest_first, num_to_settle=2),
    "ideal": Walk(_as_given, is_protected=True),
}


class SetOrder:
    """The order in which CPython walks a set of adapters, per process.

    vLLM keeps a step's requests in a set, hashed by the adapter's name, and
    Python salts the hash of a text anew in each process. A hash drawn once
    an adapter from `seed` stands for that salt; the set is CPython's own.
    """

    def __init__(self, num_adapters: int, seed: int = 0) -> None:
        num_adapters = integer("num_adapters", num_adapters, 1, MAX_IN_A_SET)
        rng = np.random.default_rng(integer("seed", seed, minimum=0))
        # The hash of an int below 2**61 - 1 is that int.
        drawn = rng.integers(0, 2**60, num_adapters).tolist()
        self._hash_of = dict(enumerate(drawn))
        self._adapter_of = {key: item for item, key in self._hash_of.items()}

    def __call__(self, adapter_ids: Iterable[int]) -> list[int]:
        """Return the ids in the order in which their set is walked.

        adapter_ids is in the order in which the set is filled: where two
        hashes collide it shows.
        """
        try:
            hashes = walked(self._hash_of[item] for item in adapter_ids)
        except (KeyError, TypeError):
            raise ValueError(
                f"adapter_ids is {shown(adapter_ids)}, but must hold ids from "
                f"0 to {len(self._hash_of) - 1}"
            ) from None
        return [self._adapter_of[key] for key in hashes]
