"""vllm-router's sticky least loaded: a table of sessions."""

from collections import Counter

from multilora.routing.given import NOTHING, Ask, Choose, Rule, Setup
from multilora.routing.hashes import fbi_hash

SESSION_NS, SWEEP_NS = 7200 * 10**9, 60 * 10**9
SOURCE = "vllm-router, src/policies/sticky_least_loaded.rs"


def sticky_least_loaded(setup: Setup) -> Choose:
    """Return a chooser that keeps each adapter on one engine.

    The header X-Session-ID is the adapter. A new session goes to the living
    engine with the fewest sessions (not requests); of equals to the one with
    the largest hash of session:url. A session moves only when its engine is
    not alive, and ends after 2 hours without a request. Nothing weighs how
    much traffic a session has.
    """
    table = _Sessions(setup)

    def choose(ask: Ask) -> int:
        if ask.now_ns - table.swept_ns >= SWEEP_NS:
            table.sweep(ask.now_ns)
        home = table.homes.get(ask.adapter_id)
        if home is None or home not in ask.engines:
            home = table.place(ask)
        table.used_ns[ask.adapter_id] = ask.now_ns
        return home

    return choose


class _Sessions:
    """Which engine each session is on, and when it was last used."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.homes: dict[int, int] = {}
        self.used_ns: dict[int, int] = {}
        self.num_on: Counter[int] = Counter()
        self.swept_ns = 0

    def sweep(self, now_ns: int) -> None:
        for session, used_ns in list(self.used_ns.items()):
            if now_ns - used_ns >= SESSION_NS:
                self.num_on[self.homes.pop(session)] -= 1
                del self.used_ns[session]
        self.swept_ns = now_ns

    def place(self, ask: Ask) -> int:
        if ask.adapter_id in self.homes:
            self.num_on[self.homes[ask.adapter_id]] -= 1
        session = self.setup.adapter_name(ask.adapter_id)
        home = max(
            ask.engines,
            key=lambda k: (
                -self.num_on[k],
                fbi_hash(f"{session}:{self.setup.url(k)}"),
            ),
        )
        self.homes[ask.adapter_id] = home
        self.num_on[home] += 1
        return home


STICKY = (
    Rule(
        "sticky_least_loaded", sticky_least_loaded, NOTHING, 0.0, False,
        SOURCE, "the session header",
    ),
)  # fmt: skip
