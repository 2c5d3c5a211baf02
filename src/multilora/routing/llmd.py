"""llm-d's router: a sum of weighted scores, the highest wins."""

from collections.abc import Callable, Sequence
from random import Random

from multilora.routing.given import (
    METRICS,
    RESIDENTS,
    Ask,
    Choose,
    Rule,
    Seen,
    Setup,
)
from multilora.routing.scores import Score, affinity, load_state

QUEUE_WEIGHT, KV_WEIGHT, PREFIX_WEIGHT, LORA_WEIGHT = 2.0, 2.0, 3.0, 1.0
SCRAPE_MS = 50.0
SOURCE = "llm-d-router at ebab68792, pkg/epp/framework/plugins/scheduling"


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
    return _profile(setup, affinity(setup, is_union=False))


def lora_affinity(setup: Setup) -> Choose:
    """Return lora-affinity-scorer after pull 2625: it counts names once.

    As lora_affinity_before_2625, with room where the names that run or wait
    are fewer than max_loras.
    """
    return _profile(setup, affinity(setup, is_union=True))


def lora_load_state(setup: Setup) -> Choose:
    """Return the default profile with lora-load-state-scorer, weight 1.

    The open pull 2792, at 0bcc84e11365, reads residents, which needs an
    unreleased vLLM: in a slot 1.0, in the CPU cache 0.7, a free slot 0.6, a
    resident without a request in flight 0.3, else 0; times 0.94, and 0.03
    for the one engine with the highest FNV-1a hash of adapter, 0, URL while
    the adapter is in no slot there, and 0.03 times its share of free slots.
    The base scores 0.94 times the share of free slots. No adapter is pinned.
    """
    return _profile(setup, load_state(setup))


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


def _rule(
    name: str,
    make: Callable[[Setup], Choose],
    source: str,
    pins: str,
    reads: str = METRICS,
) -> Rule:
    return Rule(name, make, reads, SCRAPE_MS, False, source, pins)


LLMD = (
    _rule("llm-d-default", default, SOURCE, "a cached prefix"),
    _rule(
        "llm-d-lora-affinity-before-2625", lora_affinity_before_2625, SOURCE,
        "its names in flight",
    ),
    _rule(
        "llm-d-lora-affinity", lora_affinity, "llm-d-router, merged pull 2625",
        "its names in flight",
    ),
    _rule(
        "llm-d-lora-load-state", lora_load_state,
        "llm-d-router, open pull 2792 at 0bcc84e11365", "its residents",
        RESIDENTS,
    ),
)  # fmt: skip
