"""llm-d's router: a sum of weighted scores, the highest wins."""

from collections.abc import Callable, Sequence
from random import Random

from multilora.routing.given import METRICS, Ask, Choose, Rule, Seen, Setup
from multilora.routing.hashes import fnv

QUEUE_WEIGHT, KV_WEIGHT, PREFIX_WEIGHT, LORA_WEIGHT = 2.0, 2.0, 3.0, 1.0
SCRAPE_MS = 50.0
ACTIVE, ROOM, QUEUED, NO_ROOM = 1.0, 0.8, 0.6, 0.0
IN_GPU, IN_CPU, FREE_SLOT, EVICTABLE, SATURATED = 1.0, 0.7, 0.6, 0.3, 0.0
PLACEMENT_BONUS, HEADROOM_BONUS = 0.03, 0.03
SOURCE = "llm-d-router at ebab68792, pkg/epp/framework/plugins/scheduling"

Score = Callable[[Ask], list[float]]


def default(setup: Setup) -> Choose:
    """Return llm-d's default profile: queue 2, KV cache 2, prefix 3.

    Nothing in it reads adapters. The queue scores 1 for the shortest, 0 for
    the longest, between them in proportion, and 1 for all where all are
    equal; KV scores 1 - its used share; a prefix scores prefix_share of the
    setup on an engine that was sent the adapter before, since a prefix is
    hashed with its model. Of equal sums one is drawn.
    """
    return _profile(setup, None)


def lora_affinity_before_2625(setup: Setup) -> Choose:
    """Return the default profile with lora-affinity-scorer, weight 1.

    An engine scores 1.0 where a request of the adapter runs, 0.8 where the
    names that run and the names that wait are together fewer than max_loras,
    0.6 where one waits, else 0. vLLM writes one set of names twice, so room
    ends at half of max_loras, and 0.6 is never reached. Names are in flight:
    an idle resident scores as an adapter that was never there.
    """
    return _profile(setup, _affinity(setup, is_union=False))


def lora_affinity(setup: Setup) -> Choose:
    """Return lora-affinity-scorer after pull 2625: it counts names once.

    As lora_affinity_before_2625, with room where the names that run or wait
    are fewer than max_loras.
    """
    return _profile(setup, _affinity(setup, is_union=True))


def lora_load_state(setup: Setup) -> Choose:
    """Return the default profile with lora-load-state-scorer, weight 1.

    The open pull 2792, at 0bcc84e11365, reads residents, which needs an
    unreleased vLLM: in a slot 1.0, in the CPU cache 0.7, a free slot 0.6, a
    resident without a request in flight 0.3, else 0; times 0.94, and 0.03
    for the one engine with the highest FNV-1a hash of adapter, 0, URL while
    the adapter is in no slot there, and 0.03 times its share of free slots.
    The base scores 0.94 times the share of free slots. No adapter is pinned.
    """
    return _profile(setup, _load_state(setup))


def _profile(setup: Setup, lora: Score | None) -> Choose:
    draw = Random(setup.seed).random
    prefixes = _Prefixes(setup.prefix_share)

    def choose(ask: Ask) -> int:
        seen = [ask.seen[engine] for engine in ask.engines]
        sums = _load_scores(seen)
        if prefixes.share:
            sums = _plus(sums, PREFIX_WEIGHT, prefixes.scores(ask))
        if lora is not None:
            sums = _plus(sums, LORA_WEIGHT, lora(ask))
        best = max(sums)
        equals = [k for k, score in enumerate(sums) if score == best]
        chosen = ask.engines[equals[int(draw() * len(equals))]]
        if prefixes.share:
            prefixes.sent(ask.adapter_id, chosen)
        return chosen

    return choose


def _load_scores(seen: Sequence[Seen]) -> list[float]:
    queues = [engine.num_waiting for engine in seen]
    longest = max(queues)
    spread = longest - min(queues)
    if not spread:
        return [
            QUEUE_WEIGHT + KV_WEIGHT * (1 - engine.kv_share) for engine in seen
        ]
    return [
        QUEUE_WEIGHT * ((longest - engine.num_waiting) / spread)
        + KV_WEIGHT * (1 - engine.kv_share)
        for engine in seen
    ]


def _plus(
    sums: list[float], weight: float, scores: list[float]
) -> list[float]:
    return [
        total + weight * score
        for total, score in zip(sums, scores, strict=True)
    ]


class _Prefixes:
    """The router's own guess of which engine holds which prefix."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.holders: dict[int, set[int]] = {}

    def scores(self, ask: Ask) -> list[float]:
        holders = self.holders.get(ask.adapter_id, set())
        holders.intersection_update(ask.engines)  # a dead engine forgets
        return [self.share if k in holders else 0.0 for k in ask.engines]

    def sent(self, adapter_id: int, engine: int) -> None:
        self.holders.setdefault(adapter_id, set()).add(engine)


def _affinity(setup: Setup, is_union: bool) -> Score:
    slots = setup.slots

    def score(adapter_id: int, engine: int, seen: Seen) -> float:
        if adapter_id in seen.running:
            return ACTIVE
        if is_union:
            num_names = len(seen.running | seen.waiting)
        else:
            num_names = len(seen.running) + len(seen.waiting)
        if num_names < slots(engine):
            return ROOM
        return QUEUED if adapter_id in seen.waiting else NO_ROOM

    return lambda ask: [
        score(ask.adapter_id, k, ask.seen[k]) for k in ask.engines
    ]


def _load_state(setup: Setup) -> Score:
    scale = 1 - PLACEMENT_BONUS - HEADROOM_BONUS
    preferred = _Rendezvous(setup)

    def score(ask: Ask, engine: int) -> float:
        seen, slots = ask.seen[engine], setup.slots(engine)
        free = max(slots - len(seen.in_slots), 0)
        if ask.adapter_id < 0:
            return free / slots * scale
        points = _tier(ask.adapter_id, seen, free) * scale
        in_slot = ask.adapter_id in seen.in_slots
        if not in_slot and engine == preferred.engine(ask):
            points += PLACEMENT_BONUS
        return points + HEADROOM_BONUS * free / slots

    return lambda ask: [score(ask, engine) for engine in ask.engines]


def _tier(adapter_id: int, seen: Seen, free: int) -> float:
    if adapter_id in seen.in_slots:
        return IN_GPU
    if adapter_id in seen.in_cpu:
        return IN_CPU
    if free:
        return FREE_SLOT
    return EVICTABLE if seen.in_slots - seen.running else SATURATED


class _Rendezvous:
    """The engine with the highest hash of an adapter and its own URL."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.hashes: dict[tuple[int, int], int] = {}

    def engine(self, ask: Ask) -> int:
        return max(ask.engines, key=lambda k: self.hash(ask.adapter_id, k))

    def hash(self, adapter_id: int, engine: int) -> int:
        key = adapter_id, engine
        if key not in self.hashes:
            name = self.setup.adapter_name(adapter_id)
            self.hashes[key] = fnv(
                f"{name}\0{self.setup.url(engine)}".encode()
            )
        return self.hashes[key]


LLMD = tuple(
    Rule(name, make, METRICS, SCRAPE_MS, False, source)
    for name, make, source in (
        ("llm-d-default", default, SOURCE),
        (
            "llm-d-lora-affinity-before-2625", lora_affinity_before_2625,
            SOURCE + "/scorer/loraaffinity",
        ),
        (
            "llm-d-lora-affinity", lora_affinity,
            "llm-d-router, merged pull 2625",
        ),
        (
            "llm-d-lora-load-state", lora_load_state,
            "llm-d-router, open pull 2792 at 0bcc84e11365",
        ),
    )
)  # fmt: skip
