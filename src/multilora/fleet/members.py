"""An engine of a fleet: what its router knows of it, from life to death."""

from collections import deque
from typing import NamedTuple, Protocol

import numpy as np

from multilora.cache.tiers import AdapterTiers
from multilora.matmul.operands import BASE
from multilora.routing.given import Seen
from multilora.serving.cost import MAX_NS, StepCost
from multilora.serving.limits import Limits
from multilora.serving.run import ServingRun, serve_until
from multilora.serving.workload import Workload


class Engine(Protocol):
    """What PlainEngine and CompiledEngine can do."""

    @property
    def num_running(self) -> int: ...
    @property
    def num_waiting(self) -> int: ...
    @property
    def kv_share(self) -> float: ...
    @property
    def running_names(self) -> frozenset[int]: ...
    def within(self, distance: int) -> frozenset[int]: ...
    def run_until(self, until_ns: int) -> int: ...
    def add(
        self,
        arrival_ns: int,
        adapter_id: int,
        prompt_tokens: int,
        output_tokens: int,
        hit_tokens: int,
    ) -> None: ...


class Columns(NamedTuple):
    """A workload as lists, which are quicker one by one; hit by limits."""

    adapter_ids: list[int]
    prompt_tokens: list[int]
    output_tokens: list[int]
    hit_tokens: list[int]


def columns_of(workload: Workload, limits: Limits) -> Columns:
    """Return the Columns of a workload on an engine."""
    hit = limits.hit_tokens(workload.prompt_tokens)
    return Columns(*(c.tolist() for c in (*workload[1:4], hit)))


class Member:
    """A life of an engine: what was sent to it, and when.

    Without `watched` only that is noted; with it the engine runs along, as
    far as its router must know. dies_ns is MAX_NS while it lives.
    """

    def __init__(
        self,
        number: int,
        workload: Workload,
        limits: Limits,
        cost: StepCost,
        seed: int,
        engine: str,
        watched: Columns | None,
    ) -> None:
        self.number, self.seed, self.engine = number, seed, engine
        self.workload, self.limits, self.cost = workload, limits, cost
        self.dies_ns = MAX_NS
        self.requests: list[int] = []
        self.sent_ns: list[int] = []
        self._columns = watched
        self._watched = None if watched is None else self._start()
        self._known: set[int] = {BASE}
        # (request, sent) that may be behind a stall of the API server
        self._held: deque[tuple[int, int]] = deque()
        self._stall_ends = -1
        self._num_left = 0

    def send(self, request: int, now_ns: int) -> None:
        """Take a request in, not before an earlier one."""
        self.requests.append(request)
        self.sent_ns.append(now_ns)
        if self._columns is None:
            return
        if not self.cost.first_use_ns:
            self._add(request, now_ns)
            return
        self._let_through(now_ns)
        self._held.append((request, now_ns))
        adapter_id = self._columns.adapter_ids[request]
        if adapter_id not in self._known:
            self._known.add(adapter_id)
            self._stall_ends = now_ns + self.cost.first_use_ns

    def in_flight(self, now_ns: int) -> int:
        """Return how many of its requests have not finished at now_ns."""
        if len(self.requests) > self._num_left:
            self.run_until(now_ns)
        return len(self.requests) - self._num_left

    def run_until(self, now_ns: int) -> None:
        """Run the steps that begin before now_ns."""
        if self._held:
            self._let_through(now_ns)
        if self._watched is not None:
            self._num_left = self._watched.run_until(now_ns)

    def seen(self, has_residents: bool) -> Seen:
        """Return what a scrape shows: the step under way counts as done.

        Under running and under waiting stands one set of names, those whose
        requests have begun to answer: vLLM hears that a request waits with
        its first token only (update_from_output in vllm/v1/metrics/stats.py).
        """
        engine = self._watched
        if engine is None:
            return Seen()
        names = engine.running_names
        return Seen(
            engine.num_running,
            engine.num_waiting,
            engine.kv_share,
            names,
            names,
            *(engine.within(d) for d in range(2) if has_residents),
        )

    def run(self) -> ServingRun | None:
        """Return the run of all that was sent, until death; None for none."""
        if not self.requests:
            return None
        return serve_until(
            self.dies_ns,
            self._own(),
            self.limits,
            self.cost,
            self.engine,
            self.seed,
        )

    def _own(self) -> Workload:
        rows, whole = self.requests, self.workload
        return whole._replace(
            arrival_ns=np.array(self.sent_ns, dtype=np.int64),
            adapter_ids=whole.adapter_ids[rows],
            prompt_tokens=whole.prompt_tokens[rows],
            output_tokens=whole.output_tokens[rows],
        )

    def _let_through(self, now_ns: int) -> None:
        """Let in who came before now_ns, unless a stall lasts until then.

        A stall holds up all who come in the nanosecond in which it begins.
        """
        if self._stall_ends < now_ns:
            while self._held and self._held[0][1] < now_ns:
                request, sent = self._held.popleft()
                self._add(request, max(sent, self._stall_ends))

    def _add(self, request: int, now_ns: int) -> None:
        if self._columns is not None and self._watched is not None:
            row = (column[request] for column in self._columns)
            self._watched.add(now_ns, *row)

    def _start(self) -> Engine:
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(self.workload.num_adapters)
        tiers = AdapterTiers(self.limits.max_loras, self.limits.max_cpu_loras)
        if self.engine == "numba":
            from multilora.serving.told import CompiledEngine

            return CompiledEngine(
                self.workload, self.limits, self.cost, order, tiers
            )
        from multilora.serving.plain import PlainEngine

        return PlainEngine(self.limits, self.cost, order, tiers)
