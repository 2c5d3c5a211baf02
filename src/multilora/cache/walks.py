"""In which order a step's adapters are activated: vLLM's way, and two more.

Adapters are activated one after the other, and the order decides how many
loads one newcomer costs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from multilora.arguments import integer, items, shown
from multilora.matmul.operands import BASE

MAX_IN_A_SET = 10**6


def step_adapters(adapter_ids, max_loras):
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

    order: Callable
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

    def __init__(self, num_adapters, seed=0):
        num_adapters = integer("num_adapters", num_adapters, 1, MAX_IN_A_SET)
        rng = np.random.default_rng(integer("seed", seed, minimum=0))
        # The hash of an int below 2**61 - 1 is that int.
        drawn = rng.integers(0, 2**60, num_adapters).tolist()
        self._hash_of = dict(enumerate(drawn))
        self._adapter_of = {key: item for item, key in self._hash_of.items()}

    def __call__(self, adapter_ids):
        """Return the ids in the order in which their set is walked.

        adapter_ids is in the order in which the set is filled: where two
        hashes collide it shows.
        """
        try:
            hashes = {self._hash_of[item] for item in adapter_ids}
        except (KeyError, TypeError):
            raise ValueError(
                f"adapter_ids is {shown(adapter_ids)}, but must hold ids from "
                f"0 to {len(self._hash_of) - 1}"
            ) from None
        return [self._adapter_of[key] for key in hashes]
