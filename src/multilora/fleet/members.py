"""An engine of a fleet: what its router knows of it, from life to death."""

from collections import deque

import numpy as np

from multilora.fleet.watched import Columns, start_engine
from multilora.matmul.operands import BASE
from multilora.routing.given import Seen
from multilora.serving.cost import MAX_NS, StepCost
from multilora.serving.limits import Limits
from multilora.serving.run import ServingRun, serve_until
from multilora.serving.workload import Workload


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
        self._watched = None
        if watched is not None:
            self._watched = start_engine(workload, limits, cost, seed, engine)
        self._known: set[int] = {BASE}
        # (request, sent) that may be behind a stall of the API server
        self._held: deque[tuple[int, int]] = deque()
        self._stall_ends = -1
        self._num_left = 0
        self._run: ServingRun | None = None

    def send(self, now_ns: int, request: int) -> None:
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

    @property
    def is_alive(self) -> bool:
        """True until it dies."""
        return self.dies_ns == MAX_NS

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

    def die(self, now_ns: int) -> None:
        """End; connections break, so that nothing is in flight any more."""
        self.dies_ns = now_ns
        self._num_left = len(self.requests)

    def run(self) -> ServingRun | None:
        """Return the run of all that was sent, until death; None for none.

        For a dead engine, or after the last request: it is kept.
        """
        if self._run is None and self.requests:
            self._run = serve_until(
                self.dies_ns,
                self._own(),
                self.limits,
                self.cost,
                self.engine,
                self.seed,
            )
        return self._run

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
