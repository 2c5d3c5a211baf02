"""The CPU build's guard: one slot that no adapter can enter.

That build hands a base row, whose slot is -1, the last slot's adapter
(vLLM pull request 48421). So an engine is started with one slot more than
it is asked for, and the last one stays zero: a slot is the lowest free
index, and with one adapter fewer than slots the last index is never taken.
"""

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vllm.config import LoRAConfig


def without_last_slot(config: "LoRAConfig") -> "LoRAConfig":
    """Return a config with one slot and one CPU copy fewer.

    Give it to the scheduler and to the manager of slots, once the warm-up
    is over, which fills every slot.
    """
    return dataclasses.replace(
        config,
        max_loras=config.max_loras - 1,
        max_cpu_loras=config.max_cpu_loras - 1,
    )
