"""vllm-router's consistent hashing, with a session header and without."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from multilora.routing.given import NOTHING, Choose, Rule, Setup
from multilora.routing.hashes import fbi_hash

VIRTUAL_NODES = 160
SOURCE = "vllm-router 0.1.17, src/policies/consistent_hash.rs, hash_key.rs"


class Ring:
    """Engines on a ring: a value belongs to the next engine clockwise.

    place returns where an engine's virtual node is, 160 of them an engine;
    of two at one place the later engine has it.
    """

    def __init__(
        self, engines: Iterable[int], place: Callable[[int, int], int]
    ) -> None:
        self.owners = {
            place(engine, node): engine
            for engine in engines
            for node in range(VIRTUAL_NODES)
        }
        self.places = sorted(self.owners)

    def owner(self, value: int) -> int:
        """Return the engine of the first place at or after a value."""
        at = bisect_left(self.places, value)
        return self.owners[self.places[at % len(self.places)]]


class Rings:
    """Each adapter's home on the ring of the engines that may have it.

    place is as a Ring's; value returns where an adapter is.
    """

    def __init__(
        self, place: Callable[[int, int], int], value: Callable[[int], int]
    ) -> None:
        self.place, self.value = place, value
        self.rings: dict[tuple[int, ...], Ring] = {}
        self.homes: dict[tuple[int, tuple[int, ...]], int] = {}

    def home(self, adapter_id: int, engines: Iterable[int]) -> int:
        """Return an adapter's home among engines."""
        among = tuple(engines)
        key = adapter_id, among
        if key not in self.homes:
            if among not in self.rings:
                self.rings[among] = Ring(among, self.place)
            self.homes[key] = self.rings[among].owner(self.value(adapter_id))
        return self.homes[key]


def consistent_hash(setup: Setup) -> Choose:
    """Return a chooser by the hash of the header X-Session-ID = the adapter.

    The ring is that of the living engines: the adapters of a dead one spread
    over the others, and come home when it does. A request for the base has
    the header too, with the base's name.
    """
    name = setup.adapter_name
    return _by_ring(setup, lambda k: f"header:x-session-id:{name(k)}")


def consistent_hash_no_header(setup: Setup) -> Choose:
    """Return what consistent_hash does to chats that have no such header.

    The key is the text to route by, and a chat has none in 0.1.17: all chats
    have the key "request:" and go to one engine, whatever their adapter,
    messages or user. (A completion's key is its prompt: prompts are pinned,
    adapters are not.)
    """
    return _by_ring(setup, lambda adapter_id: "request:")


def _by_ring(setup: Setup, key_of: Callable[[int], str]) -> Choose:
    rings = Rings(
        lambda engine, node: fbi_hash(f"{setup.url(engine)}:{node}"),
        lambda adapter_id: fbi_hash(key_of(adapter_id)),
    )
    return lambda ask: rings.home(ask.adapter_id, ask.engines)


RINGS = (
    Rule(
        "consistent_hash", consistent_hash, NOTHING, 0.0, False, SOURCE,
        "the session header",
    ),
    Rule(
        "consistent_hash-no-header", consistent_hash_no_header, NOTHING, 0.0,
        False, SOURCE,
    ),
)  # fmt: skip
