"""The filters of the Gateway API Inference Extension 0.3."""

from collections.abc import Sequence
from random import Random

from multilora.routing.given import METRICS, Ask, Choose, Rule, Seen, Setup

LOW_QUEUE, AFFINITY_SHARE = 128, 0.999
# The extension's --refreshMetricsInterval.
SCRAPE_MS = 50.0


def gie(setup: Setup) -> Choose:
    """Return the decision tree of filters, then one engine drawn.

    Where an engine has fewer than 128 requests waiting, only such engines
    remain, then those of the adapter, then those with a short queue, then
    those with little KV in use; where none has, the queue comes before the
    adapter. A filter that leaves none is skipped.

    By adapter: engines where it runs or waits, or with probability 0.001
    those with room (names running + names waiting < max_loras); where one
    of the two groups is empty, the other. By queue or KV: within
    (most - least) / number of engines of the least.
    """
    draw = Random(setup.seed).random

    def choose(ask: Ask) -> int:
        seen = ask.seen
        engines = list(ask.engines)
        low = [k for k in engines if seen[k].num_waiting < LOW_QUEUE]
        if low:
            engines = _of_adapter(setup, ask, low, draw())
            engines = _short_queue(seen, engines)
        else:
            engines = _short_queue(seen, engines)
            engines = _of_adapter(setup, ask, engines, draw())
        engines = _little_kv(seen, engines)
        return engines[int(draw() * len(engines))]

    return choose


def _of_adapter(
    setup: Setup, ask: Ask, engines: list[int], drawn: float
) -> list[int]:
    holding, with_room = [], []
    for engine in engines:
        running, waiting = ask.seen[engine].running, ask.seen[engine].waiting
        if ask.adapter_id in running or ask.adapter_id in waiting:
            holding.append(engine)
        elif len(running) + len(waiting) < setup.slots(engine):
            with_room.append(engine)
    if holding and (not with_room or drawn < AFFINITY_SHARE):
        return holding
    return with_room or engines


def _short_queue(seen: Sequence[Seen], engines: list[int]) -> list[int]:
    queues = [seen[engine].num_waiting for engine in engines]
    least = min(queues)
    limit = least + (max(queues) - least) // len(engines)
    return [k for k in engines if seen[k].num_waiting <= limit]


def _little_kv(seen: Sequence[Seen], engines: list[int]) -> list[int]:
    shares = [seen[engine].kv_share for engine in engines]
    least = min(shares)
    limit = least + (max(shares) - least) / len(engines)
    return [k for k in engines if seen[k].kv_share <= limit]


GIE = (
    Rule(
        "gie-0.3", gie, METRICS, SCRAPE_MS, False,
        "gateway-api-inference-extension 0.3, pkg/epp/scheduling",
        "its names in flight",
    ),
)  # fmt: skip
