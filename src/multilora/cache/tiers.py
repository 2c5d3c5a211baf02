"""Slots and the CPU tier below them: what is loaded, and from where."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from multilora.arguments import choice, integer
from multilora.cache.slots import AdapterSlotCache
from multilora.cache.walks import WALKS, Walk, step_adapters


class AdapterTiers(AdapterSlotCache):
    """max_loras slots over a CPU tier of max_cpu_loras, both LRU, as vLLM's.

    The tiers are inclusive: what has a slot has a CPU copy, and who loses
    the copy loses the slot. max_cpu_loras None is max_loras, vLLM's default:
    then every slot miss reads the disk. `misses` counts loads into slots,
    `disk_loads` reads of the disk, `cpu_evictions` copies given up.
    Raises ValueError for max_cpu_loras below max_loras, as vLLM does.
    """

    def __init__(
        self, max_loras: int, max_cpu_loras: int | None = None
    ) -> None:
        super().__init__(max_loras)
        if max_cpu_loras is None:
            max_cpu_loras = max_loras
        self.max_cpu_loras = integer("max_cpu_loras", max_cpu_loras, 1)
        if self.max_cpu_loras < self.max_loras:
            raise ValueError(
                f"max_cpu_loras is {max_cpu_loras}, but must be at least "
                f"max_loras = {max_loras}: what has a slot has a copy"
            )
        self.disk_loads = 0
        self.cpu_evictions = 0
        # adapter id -> None, oldest use first
        self._copies: OrderedDict[int, None] = OrderedDict()
        self._safe: frozenset[int] = frozenset()

    def distance(self, adapter_id: int) -> int:
        """Return where an adapter is: 0 slot, 1 memory, 2 disk."""
        integer("adapter_id", adapter_id, minimum=0)
        return (adapter_id not in self._slot_of) + (
            adapter_id not in self._copies
        )

    @property
    def slot_loads(self) -> int:
        """Copies into a slot so far; the same number as misses."""
        return self.misses

    @property
    def cpu_tier(self) -> list[int]:
        """The adapters in the CPU tier, least recently used first."""
        return list(self._copies)

    @property
    def lru_order(self) -> list[int]:
        """The adapters that have a slot, least recently used first."""
        return list(self._slot_of)

    def activate_step(
        self, adapter_ids: Iterable[int], walk: str = "one by one"
    ) -> dict[int, int]:
        """Activate a step's adapters together; return {adapter id: slot}.

        walk is the name of one of walks.WALKS. Base rows (-1) are left out;
        an adapter that is named twice is activated once. Raises ValueError
        for more distinct adapters than slots, or an unknown walk.
        """
        way = WALKS[choice("walk", walk, WALKS)]
        distinct = step_adapters(adapter_ids, self.max_loras)
        self.walk_step(distinct, way)
        return {item: self._slot_of[item] for item in distinct}

    def walk_step(self, adapter_ids: Sequence[int], walk: Walk) -> None:
        """Do as activate_step for distinct adapters that fit, unchecked."""
        if walk.is_protected:
            self._safe = frozenset(adapter_ids)
        try:
            for adapter_id in walk.order(self, adapter_ids):
                self._use(adapter_id)
        finally:
            self._safe = frozenset()

    def _use(self, adapter_id):
        if adapter_id in self._slot_of:  # and so in memory too
            self.hits += 1
            self._copies.move_to_end(adapter_id)
            self._slot_of.move_to_end(adapter_id)
            return self._slot_of[adapter_id]
        self._copy_to_cpu(adapter_id)
        return super()._use(adapter_id)

    def _copy_to_cpu(self, adapter_id):
        if adapter_id in self._copies:
            self._copies.move_to_end(adapter_id)
            return
        self.disk_loads += 1
        if len(self._copies) == self.max_cpu_loras:
            # If it has a slot, it is the oldest there too, and goes next.
            del self._copies[self._first_not_safe(self._copies)]
            self.cpu_evictions += 1
        self._copies[adapter_id] = None

    def _oldest(self):
        return self._first_not_safe(self._slot_of)

    def _first_not_safe(self, order):
        if not self._safe:
            return next(iter(order))
        return next(item for item in order if item not in self._safe)
