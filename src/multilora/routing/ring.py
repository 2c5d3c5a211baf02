"""vllm-router's consistent hashing, with a session header and without."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from multilora.routing.given import NOTHING, Ask, Choose, Rule, Setup
from multilora.routing.hashes import fbi_hash

VIRTUAL_NODES = 160
SOURCE = "vllm-router 0.1.17, src/policies/consistent_hash.rs, hash_key.rs"


class Ring:
    """Engines on a ring: a key belongs to the next engine clockwise.

    place returns where an engine's virtual node is, 160 of them an engine;
    of two at one place the later engine has it.
    """

    def __init__(
        self, engines: Iterable[int], place: Callable[[int, int], int]
    ) -> None:
        self.place = place
        self.engines: set[int] = set()
        self.owners: dict[int, int] = {}
        self.places: list[int] = []
        self.add(engines)

    def add(self, engines: Iterable[int]) -> None:
        """Put engines on the ring."""
        for engine in engines:
            self.engines.add(engine)
            for node in range(VIRTUAL_NODES):
                self.owners[self.place(engine, node)] = engine
        self.places = sorted(self.owners)

    def owner(self, value: int) -> int:
        """Return the engine of the first place at or after a value."""
        at = bisect_left(self.places, value)
        return self.owners[self.places[at % len(self.places)]]


def consistent_hash(setup: Setup) -> Choose:
    """Return a chooser by the hash of the header X-Session-ID = the adapter.

    A dead engine stays on the ring, and its adapters go to the first living
    engine, all of them. An engine that was added joins the ring. A request
    for the base has the header too, with the base's name.
    """
    ring = Ring(
        range(setup.num_engines),
        lambda engine, node: fbi_hash(f"{setup.url(engine)}:{node}"),
    )
    homes: dict[int, int] = {}

    def choose(ask: Ask) -> int:
        if not ring.engines.issuperset(ask.engines):
            ring.add(sorted(set(ask.engines) - ring.engines))
            homes.clear()
        home = homes.get(ask.adapter_id)
        if home is None:
            name = setup.adapter_name(ask.adapter_id)
            home = ring.owner(fbi_hash(f"header:x-session-id:{name}"))
            homes[ask.adapter_id] = home
        return home if home in ask.engines else ask.engines[0]

    return choose


RINGS = (
    Rule("consistent_hash", consistent_hash, NOTHING, 0.0, False, SOURCE),
)  # fmt: skip
