"""The search: how many engines, who shares one, and where each dial is."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from multilora.plan.advice import best_place
from multilora.plan.answer import Outcome
from multilora.plan.case import Case
from multilora.plan.jobs import Job, Players, in_turn
from multilora.plan.load import Groups
from multilora.plan.options import kv_tokens_to_start
from multilora.plan.played import (
    Dials,
    ledger_of,
    most_slots,
    setting_of,
)
from multilora.plan.reach import out_of_reach
from multilora.plan.replicas import counts_for, groups_for, replicas_of
from multilora.units import percent

SLOTS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
BUDGETS = (2048, 8192)
SEATS = (64, 256, 1024)
MAX_ENGINES = 16
HOPELESS = 100  # times the SLO


class NoPlanError(ValueError):
    """Nothing can be planned: no engine starts. Its text says what to do."""


class Tried(NamedTuple):
    """A setting that was played; outcome None: an engine does not start.

    known are the tenants that each engine must be able to serve, None for
    those of groups.
    """

    groups: Groups
    dials: Dials
    outcome: Outcome | None
    known: Groups | None = None

    @property
    def num_engines(self) -> int:
        return len(self.groups)

    @property
    def engines_of(self) -> Counter[int]:
        """On how many engines each tenant is."""
        return Counter(tenant for group in self.groups for tenant in group)


class Search:
    """Plays settings of a Case, each once, and keeps what came of them.

    players play jobs of this Case; without them it plays them itself.
    """

    def __init__(
        self,
        case: Case,
        progress: Callable[[str], object] = lambda line: None,
        players: Players | None = None,
        spare: int = 0,
    ) -> None:
        self.case = case
        self.outcomes = players or in_turn(case)
        self.spare = spare  # engines that may be lost
        self.num_played = 0
        budgets = {*BUDGETS, self.usual_dials().max_num_batched_tokens}
        if case.options.get("max_num_batched_tokens") is not None:
            budgets = {self.usual_dials().max_num_batched_tokens}
        late = out_of_reach(case, tuple(sorted(budgets)))
        needed = replicas_of(case, late, sorted(budgets))
        self.replicas = {t: count + spare for t, count in needed.items()}
        self.out_of_reach = tuple(t for t in late if t not in needed)
        num_asking = case.num_asking
        # More engines cannot help those who are late alone on many.
        can = 1 - len(self.out_of_reach) / num_asking
        self.wanted = min(case.slo.share, can)
        self._progress = progress
        self._tried: dict[tuple, Tried] = {}
        self.by_engines: dict[int, Tried] = {}  # the best of each number

    @property
    def most_engines(self) -> int:
        """So many can have a tenant who asks; with a spare, each on two."""
        num_asking = self.case.num_asking
        more = sum(count - 1 for count in self.replicas.values())
        return num_asking * (1 + self.spare) + more

    def tried(
        self, groups: Groups, dials: Dials, known: Groups | None = None
    ) -> Tried:
        """Return a setting, played; of engines only the outcome is kept."""
        return self.tried_all(groups, [dials], known)[0]

    def tried_all(
        self,
        groups: Groups,
        settings: Sequence[Dials],
        known: Groups | None = None,
    ) -> list[Tried]:
        """Return these settings, played: those that are new at once."""
        most = max(len(group) for group in known or groups)
        settings = [
            dials._replace(max_loras=min(dials.max_loras, most))
            for dials in settings
        ]
        named = _frozen(groups), known and _frozen(known)
        jobs = {
            (named, dials): Job(groups, dials, None, known)
            for dials in settings
        }
        self._play({k: jobs[k] for k in jobs if k not in self._tried})
        return [self._tried[named, dials] for dials in settings]

    def _play(self, jobs):
        outcomes = self.outcomes(list(jobs.values()))
        for key, job in jobs.items():
            self.num_played += 1
            self._progress(f"{self.num_played} settings played")
            self._tried[key] = Tried(
                job.groups, job.dials, next(outcomes), job.known
            )

    def is_enough(self, tried: Tried) -> bool:
        """True if as many tenants meet the SLO as must, or as can."""
        return _share(tried) >= self.wanted

    def best(self, tried: list[Tried]) -> Tried | None:
        """Return the best of these by advice.best_place, or None."""
        place = best_place(
            [t.outcome.p99_ms if t.outcome else None for t in tried],
            [t.outcome.share if t.outcome else 0.0 for t in tried],
            self.wanted,
        )
        return None if place is None else tried[place]

    def slot_ladder(self, groups: Groups, dials: Dials) -> list[int]:
        """Return the values of max_loras that are tried, downwards.

        The first of them is the largest that starts, where any does.
        """
        upward = dials._replace(max_loras=SLOTS[-1])
        most = max(most_slots(self.case, group, upward) for group in groups)
        most = max(most, 1)
        return [most, *(num for num in SLOTS[::-1] if num < most)]

    def with_engines(self, num_engines: int) -> Tried | None:
        """Return the best setting with so many engines, or None."""
        tuned = [self._tuned(g) for g in self.placements(num_engines)]
        best = self.best([one for one in tuned if one])
        if best is not None:
            self.by_engines[num_engines] = best
        return best

    def placements(self, num_engines: int) -> list[Groups]:
        """Return the ways to spread tenants that are tried."""
        counts = counts_for(self.case, self.replicas, num_engines)
        return groups_for(self.case, counts, num_engines)

    def _tuned(self, groups: Groups) -> Tried | None:
        """One dial after another, until a round changes none."""
        best = None
        for _ in range(3):
            before = best
            start = best.dials if best else self.usual_dials()
            for name in Dials._fields:
                values = self.values(name, groups, start)
                tries = [start._replace(**{name: value}) for value in values]
                rows = self.tried_all(groups, list(filter(can_be, tries)))
                best = self.best(rows) or best
                if best and self._is_hopeless(best):
                    return best
                start = best.dials if best else start
            if best == before:
                break
        return best

    def values(self, name: str, groups: Groups, dials: Dials) -> list[int]:
        """Return the values of one dial that are tried beside the others.

        Of equals the first is taken: the most slots; of budgets and seats
        the usual one, or the only one where the user gave it.
        """
        if name == "max_loras":
            return self.slot_ladder(groups, dials)
        first = getattr(self.usual_dials(), name)
        given = self.case.options.get(name) is not None
        others = BUDGETS if name == "max_num_batched_tokens" else SEATS
        return [first, *(o for o in others if o != first and not given)]

    def told(self) -> str:
        """Return a sentence on the best setting so far, "" before one."""
        best = self.best(list(self._tried.values()))
        if best is None or best.outcome is None:
            return ""
        return (
            f"of {self.num_played} settings the best so far is "
            f"{best.num_engines} engines with max_loras="
            f"{best.dials.max_loras}, p99 {best.outcome.p99_ms:,.0f} ms, "
            f"{percent(best.outcome.share, 0)} of the tenants in time"
        )

    def least_slots(self, chosen: Tried) -> int | None:
        """Return the fewest slots tried that serve as many in time.

        All else as chosen; None where that is what was chosen.
        """
        alike = [
            one.dials.max_loras
            for one in self._tried.values()
            if one.groups == chosen.groups
            and one.known == chosen.known
            and one.dials[1:] == chosen.dials[1:]
            and self.is_enough(one)
        ]
        least = min(alike, default=chosen.dials.max_loras)
        return least if least < chosen.dials.max_loras else None

    def _is_hopeless(self, tried: Tried) -> bool:
        """True where the queue only grows: no other dial cures that."""
        p99_ms = tried.outcome.p99_ms if tried.outcome else 0.0
        return p99_ms > HOPELESS * self.case.slo.ttft_p99_ms

    def usual_dials(self) -> Dials:
        """What `vllm serve` takes on such a card, as the case may say."""
        settings = self.case.settings
        return Dials(1, *settings.batch(self.case.max_model_len))


def is_met(case: Case, outcome: Outcome | None) -> bool:
    """True if this Outcome gives enough tenants what they are promised."""
    return outcome is not None and outcome.share >= case.slo.share


def can_be(dials: Dials) -> bool:
    """vLLM refuses fewer tokens a step than requests."""
    return dials.max_num_batched_tokens >= dials.max_num_seqs


def fewest_engines(search: Search, most: int = MAX_ENGINES) -> Tried:
    """Return the best setting with the fewest engines that meet the SLO.

    Doubles their number until it is met, then looks between. Where it is out
    of reach for some tenants, the fewest with which all others are in time.
    Where no number up to `most` does that, the one that most tenants are in
    time with, of equals the smallest. Raises NoPlanError where none starts.
    """
    most = min(most, search.most_engines)
    found = search.by_engines
    for num in _doubled(most):
        best = search.with_engines(num)
        if best is not None and search.is_enough(best):
            return _fewer(search, num)
    if not found:
        raise NoPlanError(_refused(search.case))
    num = max(found, key=lambda num: (_share(found[num]), -num))
    search.wanted = _share(found[num])
    return _fewer(search, num)


def exactly(search: Search, num_engines: int) -> Tried:
    """Return the best setting with so many engines.

    Raises ValueError for more engines than would have a tenant who asks,
    NoPlanError where they do not start.
    """
    if num_engines > search.most_engines:
        raise ValueError(
            f"num_engines is {num_engines}, but must be at most "
            f"{search.most_engines}: more engines would have no tenant who "
            "asks"
        )
    best = search.with_engines(num_engines)
    if best is None:
        raise NoPlanError(_refused(search.case))
    return best


def _fewer(search, met):
    """Halve between the largest number that missed it and one that met."""
    found = search.by_engines
    missed = max((num for num in found if num < met), default=0)
    while met - missed > 1:
        middle = (met + missed) // 2
        best = search.with_engines(middle)
        if best is not None and search.is_enough(best):
            met = middle
        else:
            missed = middle
    return found[met]


def _frozen(groups: Groups) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, groups))


def _share(tried):
    return tried.outcome.share if tried.outcome else 0.0


def _doubled(most):
    counts = [1]
    while counts[-1] < most:
        counts.append(min(2 * counts[-1], most))
    return counts


def _refused(case: Case) -> str:
    """Say what is in the way of one slot."""
    tenants = range(len(case.tenants.names))
    dials = Dials(1, *case.settings.batch(case.max_model_len))
    ledger = ledger_of(case, setting_of(case, tenants, dials))
    return (
        f"{case.model} with one slot of rank {max(case.slot_ranks)} does not "
        f"start on {case.card_gib:g} GiB: {ledger.told()}; "
        f"--max-model-len {case.max_model_len} needs "
        f"{kv_tokens_to_start(case.max_model_len):,} at the low end. Take a "
        "larger card, more GPUs (--tensor-parallel-size), a quantised base, "
        "or a smaller --max-model-len"
    )
