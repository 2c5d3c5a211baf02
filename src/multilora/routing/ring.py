"""vllm-router's consistent hashing, with a session header and without."""

from bisect import bisect_left
from collections.abc import Callable

from multilora.routing.given import NOTHING, Ask, Choose, Rule, Setup
from multilora.routing.hashes import fbi_hash

VIRTUAL_NODES = 160
SOURCE = "vllm-router 0.1.17, src/policies/consistent_hash.rs, hash_key.rs"


class Ring:
    """Engines on a ring: a key belongs to the next engine clockwise.

    Each engine has 160 places, the hashes of url:0 to url:159; of two at one
    place the later engine has it.
    """

    def __init__(self, url: Callable[[int], str], num_engines: int) -> None:
        self.url = url
        self.engines: set[int] = set()
        self.owners: dict[int, int] = {}
        self.places: list[int] = []
        self.add(range(num_engines))

    def add(self, engines: range | set[int]) -> None:
        """Put engines on the ring."""
        for engine in engines:
            for node in range(VIRTUAL_NODES):
                place = fbi_hash(f"{self.url(engine)}:{node}")
                self.owners[place] = engine
        self.engines.update(engines)
        self.places = sorted(self.owners)

    def owner(self, key: str) -> int:
        """Return the engine that a key belongs to, alive or not."""
        at = bisect_left(self.places, fbi_hash(key))
        return self.owners[self.places[at % len(self.places)]]


def consistent_hash(setup: Setup) -> Choose:
    """Return a chooser by the hash of the header X-Session-ID = the adapter.

    A dead engine stays on the ring, and its adapters go to the first living
    engine, all of them. An engine that was added joins the ring. A request
    for the base has the header too, with the base's name.
    """
    ring = Ring(setup.url, setup.num_engines)
    homes: dict[int, int] = {}

    def choose(ask: Ask) -> int:
        if not ring.engines.issuperset(ask.engines):
            ring.add(set(ask.engines) - ring.engines)
            homes.clear()
        home = homes.get(ask.adapter_id)
        if home is None:
            name = setup.adapter_name(ask.adapter_id)
            home = ring.owner(f"header:x-session-id:{name}")
            homes[ask.adapter_id] = home
        return home if home in ask.engines else ask.engines[0]

    return choose


RINGS = (
    Rule("consistent_hash", consistent_hash, NOTHING, 0.0, False, SOURCE),
)  # fmt: skip
