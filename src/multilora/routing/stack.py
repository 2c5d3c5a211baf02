"""vLLM production-stack: endpoints that list the model, then a rule."""

from multilora.routing.given import NOTHING, Ask, Choose, Rule, Setup
from multilora.routing.hashes import md5
from multilora.routing.ring import Rings

SOURCE = "production-stack, src/vllm_router/routers/routing_logic.py"


def roundrobin(setup: Setup) -> Choose:
    """Return a chooser that takes the adapter's endpoints in turn.

    Endpoints are the engines that list the adapter, in the order of their
    URLs as text (engine-10 before engine-2). One count of all requests, of
    every adapter, modulo the number of endpoints.
    """
    turn = -1
    order: dict[tuple[int, ...], list[int]] = {}

    def choose(ask: Ask) -> int:
        nonlocal turn
        turn += 1
        endpoints = tuple(ask.holders or ask.engines)
        if endpoints not in order:
            order[endpoints] = sorted(endpoints, key=setup.url)
        return order[endpoints][turn % len(endpoints)]

    return choose


def session(setup: Setup) -> Choose:
    """Return a chooser by a ring of the adapter's endpoints.

    --session-key model: the key is the model that the body names, so each
    adapter has one home among the engines that list it. The ring is
    uhashring's: 160 places an engine, the md5 of URL-0 to URL-159. An
    engine that is not alive leaves the ring, and its adapters spread over
    all others.
    """
    rings = Rings(
        lambda engine, node: md5(f"{setup.url(engine)}-{node}"),
        lambda adapter_id: md5(setup.adapter_name(adapter_id)),
    )
    return lambda ask: rings.home(ask.adapter_id, ask.holders or ask.engines)


STACK = (
    Rule(
        "production-stack-roundrobin",
        roundrobin,
        NOTHING,
        0.0,
        True,
        SOURCE,
        "who lists it",
    ),
    Rule(
        "production-stack-session",
        session,
        NOTHING,
        0.0,
        True,
        SOURCE,
        "the model's name",
    ),
)
