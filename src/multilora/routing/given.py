"""What a routing rule is told, and what a rule is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

NOTHING, COUNTS, METRICS = "nothing", "counts", "metrics"
RESIDENTS = "residents"
READS = (NOTHING, COUNTS, METRICS, RESIDENTS)


class Seen(NamedTuple):
    """An engine as its last scrape showed it.

    running and waiting are what vLLM's lora_requests_info says: the names
    of requests that have begun to answer, the same under both. Who waits for
    a first token is in neither, and an idle resident is not either.
    in_slots and in_cpu are the residents, which no released vLLM tells.
    """

    num_running: int = 0
    num_waiting: int = 0
    kv_share: float = 0.0
    running: frozenset[int] = frozenset()
    waiting: frozenset[int] = frozenset()
    in_slots: frozenset[int] = frozenset()
    in_cpu: frozenset[int] = frozenset()


class Setup(NamedTuple):
    """A fleet, as its router is started: max_loras is one number an engine.

    Engines and adapters are numbered from 0; seed is for rules that draw.
    urls (of engines) and names (of adapters) are what rings hash: without
    them engine 2 is http://engine-2:8000 and adapter 7 is adapter-7.
    prefix_share is the share of a prompt's blocks, 0 to 1, that is the same
    in all prompts of an adapter: for rules that score a cached prefix.
    """

    num_engines: int
    num_adapters: int
    max_loras: tuple[int, ...]
    seed: int = 0
    urls: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    prefix_share: float = 0.0

    def url(self, engine: int) -> str:
        """Return an engine's URL; one added after the start has a number."""
        if engine < len(self.urls):
            return self.urls[engine]
        return f"http://engine-{engine}:8000"

    def adapter_name(self, adapter_id: int) -> str:
        """Return the model that a request names: base for -1."""
        if adapter_id < 0:
            return "base"
        if adapter_id < len(self.names):
            return self.names[adapter_id]
        return f"adapter-{adapter_id}"

    def slots(self, engine: int) -> int:
        """Return an engine's max_loras; one added later is as the last."""
        return self.max_loras[min(engine, len(self.max_loras) - 1)]


class Ask(NamedTuple):
    """A request that needs an engine.

    adapter_id is -1 for the base. engines are those that the router may
    choose, in order, at least one; holders those of them that list the
    adapter in /v1/models. in_flight is the router's own count of requests
    that it sent and that are not finished, one a number of an engine, 0 for
    a rule that reads no counts; seen is what the last scrape showed, one an
    engine too, empty for a rule that reads no metrics.
    """

    adapter_id: int
    now_ns: int
    engines: Sequence[int]
    holders: Sequence[int]
    in_flight: Sequence[int]
    seen: Sequence[Seen]


Choose = Callable[[Ask], int]


class Rule(NamedTuple):
    """A rule by its name: make starts a router that chooses an engine.

    reads is "nothing" where a choice depends on the requests alone, "counts"
    for the router's own in_flight, "metrics" for what it scraped scrape_ms
    ago or less, "residents" for both, in_slots and in_cpu among it.
    asks_holders is True for a rule that chooses among the holders only.
    source names the code or the text that the rule is from, pins what brings
    an adapter back to an engine.
    """

    name: str
    make: Callable[[Setup], Choose]
    reads: str
    scrape_ms: float
    asks_holders: bool
    source: str
    pins: str = "nothing"
