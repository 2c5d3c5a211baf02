"""Dynamo: every 3 s each adapter's homes anew, by its share of the load."""

from collections import Counter
from collections.abc import Sequence

from multilora.routing.given import NOTHING, Ask, Choose, Rule, Setup
from multilora.routing.rates import Rates, num_replicas
from multilora.routing.rendezvous import Rendezvous, sticky_homes

TICK_NS = 3 * 10**9
COOLDOWN_TICKS = 3
# After so many ticks without a request no estimate is left to decay.
IDLE_TICKS = 200
SOURCE = "Dynamo, lib/llm/src/lora: controller.rs, filter.rs, hrw.rs"


def dynamo(setup: Setup) -> Choose:
    """Return a chooser among an adapter's homes, one after the other.

    Every 3 s an adapter with load gets num_replicas homes by rendezvous
    hashing, full engines skipped, its homes kept; fewer only after 3 ticks.
    One without load gets its best engine. A request goes to a home where the
    adapter is loaded, else to a home; where no home is alive, to an engine
    where it is loaded, else to its best. One count of all adapters'
    requests, modulo the number of candidates; the base has its own count.

    Loaded is where this router sent the adapter, the last max_loras of an
    engine: Dynamo reads it from what its workers publish.
    """
    table = _Table(setup)
    turns = [-1, -1]

    def choose(ask: Ask) -> int:
        table.catch_up(ask)
        is_base = ask.adapter_id < 0
        turns[is_base] += 1
        if is_base:
            return ask.engines[turns[True] % len(ask.engines)]
        candidates = table.candidates(ask.adapter_id, ask.engines)
        chosen = candidates[turns[False] % len(candidates)]
        table.sent(ask.adapter_id, chosen, ask.now_ns)
        return chosen

    return choose


class _Table:
    """The homes of each adapter, and what its ticks need."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.name = setup.adapter_name
        self.by_name = sorted(range(setup.num_adapters), key=self.name)
        self.rates = Rates()
        self.hashed = Rendezvous(setup)
        self.homes: dict[int, list[int]] = {}
        self.active: set[int] = set()
        self.loaded: dict[int, dict[int, None]] = {}
        self.lowered: dict[int, int] = {}
        self.tick = 0
        self.next_ns: int | None = None

    def catch_up(self, ask: Ask) -> None:
        """Play the ticks up to now; a dead engine has nothing loaded."""
        for engine in self.loaded.keys() - set(ask.engines):
            del self.loaded[engine]
        if self.next_ns is None:
            self.next_ns = ask.now_ns
        late = (ask.now_ns - self.next_ns) // TICK_NS - IDLE_TICKS
        for _ in range(IDLE_TICKS if late > 0 else 0):
            self._recompute(ask.engines)
        if late > 0:
            self.next_ns += late * TICK_NS
            self.tick += late
        while self.next_ns <= ask.now_ns:
            self._recompute(ask.engines)

    def candidates(
        self, adapter_id: int, engines: Sequence[int]
    ) -> Sequence[int]:
        """Return the engines that a request of an adapter may go to."""
        homes = self.homes.get(adapter_id, ())
        alive = [k for k in engines if k in homes]
        loaded = [k for k in engines if adapter_id in self.loaded.get(k, ())]
        if alive and adapter_id in self.active:
            return [k for k in alive if k in loaded] or alive
        if alive:
            return alive
        return loaded or self.hashed.ranked(adapter_id, engines)[:1]

    def sent(self, adapter_id: int, engine: int, now_ns: int) -> None:
        """Note a request: its adapter is an engine's last used."""
        held = self.loaded.setdefault(engine, {})
        held.pop(adapter_id, None)
        held[adapter_id] = None
        if len(held) > self.setup.slots(engine):
            del held[next(iter(held))]
        if adapter_id not in self.homes:  # onboarded since the last tick
            self.by_name = sorted({*self.by_name, adapter_id}, key=self.name)
        self.rates.arrived(adapter_id, now_ns)

    def _recompute(self, engines: Sequence[int]) -> None:
        assert self.next_ns is not None
        loads = self.rates.loads(self.next_ns)
        self.next_ns += TICK_NS
        self.tick += 1
        slots = {k: self.setup.slots(k) for k in engines}
        wanted = {}
        if loads:
            wanted = num_replicas(
                loads, sum(slots.values()), len(engines), self.name
            )
        used = Counter({k: len(self.loaded.get(k, ())) for k in engines})
        for adapter_id in self.by_name:
            if adapter_id in wanted:
                self._place(adapter_id, wanted[adapter_id], used, slots)
            elif adapter_id not in loads:
                best = self.hashed.ranked(adapter_id, engines)[:1]
                self.homes[adapter_id] = best
                self.lowered.pop(adapter_id, None)
        self._pin_dropped(loads, wanted, slots)
        self.active = set(loads)

    def _place(
        self,
        adapter_id: int,
        wanted: int,
        used: Counter[int],
        slots: dict[int, int],
    ) -> None:
        before = self.homes.get(adapter_id, [])
        own = {k for k in slots if adapter_id in self.loaded.get(k, ())}
        homes = sticky_homes(
            self.hashed.ranked(adapter_id, list(slots)),
            self._damped(adapter_id, wanted, len(before)),
            before,
            lambda k: used[k] - (k in own) >= slots[k],
        )
        used.update(k for k in homes if k not in own)
        self.homes[adapter_id] = homes

    def _damped(self, adapter_id: int, wanted: int, num_now: int) -> int:
        """Return how many homes now: fewer only after the cooldown."""
        if wanted >= num_now:
            self.lowered.pop(adapter_id, None)
            return wanted
        since = self.tick - self.lowered.setdefault(adapter_id, self.tick)
        if since < COOLDOWN_TICKS:
            return num_now
        self.lowered[adapter_id] = self.tick
        return wanted

    def _pin_dropped(
        self,
        loads: dict[int, int],
        wanted: dict[int, int],
        slots: dict[int, int],
    ) -> None:
        """Give each adapter past the slots its loaded homes, or one."""
        dropped = [k for k in self.by_name if k in loads and k not in wanted]
        placed = Counter(
            engine
            for adapter_id, homes in self.homes.items()
            if adapter_id not in dropped
            for engine in homes
        )
        for adapter_id in dropped:
            homes = [
                k
                for k in self.homes.get(adapter_id, ())
                if k in slots and adapter_id in self.loaded.get(k, ())
            ] or sticky_homes(
                self.hashed.ranked(adapter_id, list(slots)),
                1,
                (),
                lambda k: placed[k] >= slots[k],
            )
            placed.update(homes)
            self.homes[adapter_id] = homes


DYNAMO = (
    Rule("dynamo", dynamo, NOTHING, 0.0, False, SOURCE, "its homes, by load"),
)
