"""The compiled engine, told of its requests as they come."""

import numpy as np

from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS
from multilora.matmul.operands import BASE
from multilora.serving.compiled import num_left
from multilora.serving.cost import StepCost
from multilora.serving.limits import Limits
from multilora.serving.memory import (
    kv_records,
    new_memory,
    new_numbers,
    no_requests,
)
from multilora.serving.workload import Workload

ROOM = 1024  # records at first; doubled when they are used up


class CompiledEngine:
    """The same as PlainEngine, equal to the nanosecond.

    workload is what the engine may be told of: its adapters and its longest
    reply set the sizes of the records.
    """

    def __init__(
        self,
        workload: Workload,
        limits: Limits,
        cost: StepCost,
        order: np.ndarray,
        tiers: AdapterTiers,
    ) -> None:
        longest = workload.output_tokens.argmax()
        sized = workload._replace(
            arrival_ns=workload.arrival_ns[:1],
            adapter_ids=workload.adapter_ids[:1],
            prompt_tokens=workload.prompt_tokens[:1],
            output_tokens=workload.output_tokens[[longest]],
        )
        memory = new_memory(sized, limits, order, tiers)
        self._has_blocks = limits.num_gpu_blocks is not None
        self._base = workload.num_adapters
        self._memory = memory._replace(
            requests=no_requests(ROOM),
            kv=self._kv(ROOM) if self._has_blocks else memory.kv,
            left=np.zeros(ROOM, dtype=np.int64),
        )
        num_to_settle = WALKS[limits.walk].num_to_settle
        self._numbers = new_numbers(limits, cost, num_to_settle, tiers)

    def add(
        self,
        arrival_ns: int,
        adapter_id: int,
        prompt_tokens: int,
        output_tokens: int,
        hit_tokens: int,
    ) -> None:
        """Tell of a request, not before one that arrives earlier."""
        memory, num = self._memory, int(self._numbers["num_known"][0])
        if num == len(memory.requests):
            self._memory = memory = self._doubled(memory)
        record = memory.requests[num]
        record["arrival"] = arrival_ns
        record["adapter"] = self._base if adapter_id == BASE else adapter_id
        record["to_prefill"] = prompt_tokens - hit_tokens
        record["to_make"] = output_tokens
        if self._has_blocks:
            memory.kv[num]["hit"] = hit_tokens
        self._numbers["num_known"] = num + 1

    def run_until(self, until_ns: int) -> int:
        """Run all steps that begin before until_ns; return who has left.

        That is the number of requests that had finished at until_ns.
        """
        return num_left(self._memory, self._numbers, until_ns)

    @property
    def num_running(self) -> int:
        """Requests that have a seat, as the last step left them."""
        return int(self._numbers["num_running"][0])

    @property
    def num_waiting(self) -> int:
        """Requests that wait."""
        return int(self._numbers["num_waiting"][0])

    @property
    def kv_share(self) -> float:
        """The share of the KV blocks that are held; 0 where none count."""
        numbers = self._numbers[0]
        if not self._has_blocks:
            return 0.0
        return 1 - float(numbers["free_blocks"] / numbers["num_blocks"])

    @property
    def running_names(self) -> frozenset[int]:
        """The adapters of requests that run."""
        num = self._numbers["num_active"][0]
        return frozenset(self._memory.active[:num].tolist())

    def within(self, distance: int) -> frozenset[int]:
        """Return the adapters in a slot (0), or in memory too (1)."""
        far = self._memory.adapters["distance"][:-1]
        return frozenset(np.flatnonzero(far <= distance).tolist())

    def _doubled(self, memory):
        num = len(memory.requests)
        longer = {
            "requests": np.append(memory.requests, no_requests(num)),
            "left": np.append(memory.left, np.zeros(num, dtype=np.int64)),
        }
        if self._has_blocks:
            more = self._kv(num)
            more["place"] += num
            longer["kv"] = np.append(memory.kv, more)
        return memory._replace(**longer)

    @staticmethod
    def _kv(num):
        return kv_records(np.zeros(num, dtype=np.int64))
