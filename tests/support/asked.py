"""Requests that the tests of rules put to a router."""

from multilora.routing.given import Ask, Seen, Setup

SECOND = 10**9


def setup(num_engines, num_adapters=8, max_loras=4, **others):
    return Setup(
        num_engines, num_adapters, (max_loras,) * num_engines, **others
    )


def ask(
    adapter_id,
    engines,
    in_flight=None,
    seen=(),
    now_s=0.0,
    holders=None,
):
    """Return an Ask; every living engine holds the adapter, none has load."""
    return Ask(
        adapter_id,
        round(now_s * SECOND),
        engines,
        engines if holders is None else holders,
        [0] * 16 if in_flight is None else in_flight,
        seen,
    )


def seen(running=(), waiting=None, **others):
    """Return a Seen; vLLM names what runs and what waits in one set."""
    names = frozenset(running)
    both = names if waiting is None else frozenset(waiting)
    return Seen(running=names, waiting=both, **others)
