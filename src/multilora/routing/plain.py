"""Rules that know nothing of adapters: in turn, at random, by load."""

from collections.abc import Callable, Sequence
from random import Random

from multilora.routing.given import COUNTS, NOTHING, Ask, Choose, Rule, Setup

VLLM_ROUTER = "vllm-router 0.1.17, src/policies/"


def round_robin(setup: Setup) -> Choose:
    """Return a chooser that takes the living engines in turn.

    One count of all requests, modulo the number of living engines. Source:
    round_robin.rs of vllm-router.
    """
    turn = -1

    def choose(ask: Ask) -> int:
        nonlocal turn
        turn += 1
        return ask.engines[turn % len(ask.engines)]

    return choose


def random(setup: Setup) -> Choose:
    """Return a chooser that draws a living engine, each as likely.

    Source: random.rs of vllm-router. seed of setup fixes the draws.
    """
    draw = Random(setup.seed).random

    def choose(ask: Ask) -> int:
        return ask.engines[int(draw() * len(ask.engines))]

    return choose


def least_running(setup: Setup) -> Choose:
    """Return a chooser of the engine with the fewest requests in flight.

    Of equals nginx takes the next by its smooth round robin: each equal
    gains one credit, the one with the most credits (of those the first) is
    chosen and pays one credit for each equal. Source: nginx, module
    ngx_http_upstream_least_conn, weights of 1.
    """
    credits: dict[int, int] = {}

    def choose(ask: Ask) -> int:
        in_flight = ask.in_flight
        least = min([in_flight[engine] for engine in ask.engines])
        equals = [k for k in ask.engines if in_flight[k] == least]
        if len(equals) == 1:
            return equals[0]
        for engine in equals:
            credits[engine] = credits.get(engine, 0) + 1
        chosen = max(equals, key=credits.__getitem__)
        credits[chosen] -= len(equals)
        return chosen

    return choose


def power_of_two(setup: Setup) -> Choose:
    """Return a chooser of the less loaded of two engines drawn at random.

    Two different living engines, each pair as likely; of equals the first
    drawn. Load is the router's own count of requests in flight. Source:
    power_of_two.rs of vllm-router, which adds what an engine's /get_load
    says where it answers; vLLM has no such page.
    """
    draw = Random(setup.seed).random

    def choose(ask: Ask) -> int:
        return less_loaded_of_two(ask.engines, ask.in_flight, draw)

    return choose


def less_loaded_of_two(
    engines: Sequence[int],
    in_flight: Sequence[int],
    draw: Callable[[], float],
) -> int:
    """Return the less loaded of two different engines, drawn from engines.

    Of equals the first drawn; a single engine is not drawn. draw returns a
    uniform number from 0 to below 1, and is called twice.
    """
    num = len(engines)
    if num == 1:
        return engines[0]
    one = int(draw() * num)
    other = int(draw() * (num - 1))
    first, second = engines[one], engines[other + (other >= one)]
    return first if in_flight[first] <= in_flight[second] else second


PLAIN = (
    Rule(
        "round_robin", round_robin, NOTHING, 0.0, False,
        VLLM_ROUTER + "round_robin.rs",
    ),
    Rule("random", random, NOTHING, 0.0, False, VLLM_ROUTER + "random.rs"),
    Rule(
        "least_running", least_running, COUNTS, 0.0, False,
        "nginx, ngx_http_upstream_least_conn_module.c",
    ),
    Rule(
        "power_of_two", power_of_two, COUNTS, 0.0, False,
        VLLM_ROUTER + "power_of_two.rs",
    ),
)  # fmt: skip
