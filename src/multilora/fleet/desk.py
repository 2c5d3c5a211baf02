"""The router's desk: who may be chosen, what is known, who gets a request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from multilora.arguments import is_integer, shown
from multilora.fleet.members import Member
from multilora.fleet.watched import Columns, columns_of
from multilora.matmul.operands import BASE
from multilora.routing.given import (
    COUNTS,
    METRICS,
    NOTHING,
    RESIDENTS,
    Ask,
    Rule,
    Seen,
    Setup,
)
from multilora.routing.rules import started
from multilora.serving.cost import StepCost
from multilora.serving.limits import Limits
from multilora.serving.workload import Workload

# An adapter's engines; an adapter that is absent is on all.
Holders = dict[int, set[int]]


class Desk:
    """Members by number, as a rule is told of them."""

    def __init__(
        self,
        workload: Workload,
        costs: Mapping[Limits, StepCost],
        rule: Rule,
        limits: Sequence[Limits],
        homes: Holders,
        scrape_ns: int,
        engine: str,
        seed: int,
    ) -> None:
        self.workload, self.costs, self.rule = workload, costs, rule
        self.homes, self.engine, self.seed = homes, engine, seed
        self.scrape_ns = scrape_ns
        self.lives: list[tuple[int, Member]] = []  # born, member
        self.members: list[Member] = []
        self.choosable: tuple[int, ...] = ()
        self._columns: dict[Limits, Columns] = {}
        self._scraped_at = -1
        self._in_flight: list[int] = []
        self._seen: list[Seen] = []
        self._holders: dict[int, tuple[int, ...]] = {}
        # The tenants that each engine was given at run time.
        self._given: defaultdict[int, set[int]] = defaultdict(set)
        self.adapter_ids = workload.adapter_ids.tolist()
        for number, each in enumerate(limits):
            self._start(0, number, each)
        setup = Setup(
            len(limits),
            workload.num_adapters,
            tuple(each.max_loras for each in limits),
            seed,
        )
        self._choose = started(rule, setup)

    def join(self, now_ns: int) -> None:
        """Start a cold engine as the last one, with the next number."""
        self._start(now_ns, len(self.members), self.members[-1].limits)

    def restart(self, now_ns: int, number: int) -> None:
        """Start a cold engine in the place of a dead one.

        What was loaded into the dead one at run time is gone: vLLM starts
        with the adapters of its command line.
        """
        for tenant in self._given.pop(number, ()):
            self.homes[tenant].discard(number)
        self._start(now_ns, number, self.members[number].limits)

    def forget(self, now_ns: int, member: Member) -> None:
        """Let the router know that a life is over, unless the next began."""
        if self.members[member.number] is member:
            self._set_choosable(set(self.choosable) - {member.number})

    def give(self, now_ns: int, tenant: int, number: int) -> None:
        """Let an engine hold a tenant's adapter until it dies.

        A dead one does not get it: nobody there answers the call.
        """
        if not self.members[number].is_alive:
            return
        if tenant in self.homes and number not in self.homes[tenant]:
            self.homes[tenant].add(number)
            self._given[number].add(tenant)
            self._holders.pop(tenant, None)

    def holders(self, adapter_id: int) -> tuple[int, ...]:
        """Return those who may be chosen and hold an adapter."""
        found = self._holders.get(adapter_id)
        if found is None:
            found = self.choosable
            if adapter_id != BASE and adapter_id in self.homes:
                home = self.homes[adapter_id]
                found = tuple(e for e in self.choosable if e in home)
            self._holders[adapter_id] = found
        return found

    def choose(self, now_ns: int, request: int) -> int | None:
        """Return the engine that the rule chooses; None where nobody may.

        Raises ValueError for a rule that chooses who may not be chosen.
        """
        adapter_id = self.adapter_ids[request]
        holders = self.holders(adapter_id)
        allowed = holders if self.rule.asks_holders else self.choosable
        if not allowed:
            return None
        if self.rule.reads in (METRICS, RESIDENTS):
            self._scrape(now_ns)
        if self.rule.reads in (COUNTS, RESIDENTS):
            self._count(now_ns)
        chosen = self._choose(
            Ask(
                adapter_id,
                now_ns,
                self.choosable,
                holders,
                self._in_flight,
                self._seen,
            )
        )
        if not is_integer(chosen) or chosen not in allowed:
            raise ValueError(
                f"rule {self.rule.name!r} chose engine {shown(chosen)} for "
                f"adapter {adapter_id}, but may choose one of "
                f"{shown(list(allowed))}"
            )
        return int(chosen)

    def _start(self, now_ns: int, number: int, limits: Limits) -> None:
        """Start a cold engine under a number; the router knows at once."""
        if limits not in self._columns and self.rule.reads != NOTHING:
            self._columns[limits] = columns_of(self.workload, limits)
        member = Member(
            number,
            self.workload,
            limits,
            self.costs[limits],
            self.seed + number,
            self.engine,
            self._columns.get(limits),
        )
        if number == len(self.members):
            self.members.append(member)
            self._in_flight.append(0)
            self._seen.append(Seen())
        self.members[number] = member
        self._seen[number] = Seen()
        self.lives.append((now_ns, member))
        self._set_choosable({*self.choosable, number})

    def _set_choosable(self, numbers: Iterable[int]) -> None:
        self.choosable = tuple(sorted(numbers))
        self._holders = {}

    def _count(self, now_ns):
        counts, members = self._in_flight, self.members
        for number in self.choosable:
            counts[number] = members[number].in_flight(now_ns)

    def _scrape(self, now_ns):
        at = now_ns
        if self.scrape_ns:
            at -= now_ns % self.scrape_ns
        if at <= self._scraped_at:
            return
        self._scraped_at = at
        has_residents = self.rule.reads == RESIDENTS
        for number in self.choosable:
            member = self.members[number]
            if member.is_alive:
                member.run_until(at)
                self._seen[number] = member.seen(has_residents)
