"""AIBrix: an adapter is placed on one pod, and only that pod serves it."""

from collections import Counter
from random import Random

from multilora.routing.given import COUNTS, Ask, Choose, Rule, Setup


def aibrix(setup: Setup) -> Choose:
    """Return a chooser with AIBrix's own placement: one pod an adapter.

    The adapters are placed in order, each on the pod with the fewest
    adapters, of equals the first; pods are the holders. Where its pod is not
    alive, an adapter is placed anew. The base goes to the pod with the
    fewest requests in flight, of equals one drawn. Nothing weighs traffic.

    Source: AIBrix, pkg/controller/modeladapter/scheduling/leastadapters.go
    and pkg/plugins/gateway/algorithms/least_request.go.
    """
    draw = Random(setup.seed).random
    num_on: Counter[int] = Counter()
    homes: dict[int, int] = {}

    def place(adapter_id: int, pods: list[int]) -> int:
        if adapter_id in homes:
            num_on[homes[adapter_id]] -= 1
        home = homes[adapter_id] = min(pods, key=num_on.__getitem__)
        num_on[home] += 1
        return home

    def choose(ask: Ask) -> int:
        pods = list(ask.holders or ask.engines)
        if ask.adapter_id >= 0:
            home = homes.get(ask.adapter_id)
            return home if home in pods else place(ask.adapter_id, pods)
        least = min([ask.in_flight[pod] for pod in pods])
        equals = [pod for pod in pods if ask.in_flight[pod] == least]
        return equals[int(draw() * len(equals))]

    for adapter_id in range(setup.num_adapters):
        place(adapter_id, list(range(setup.num_engines)))
    return choose


AIBRIX = (
    Rule(
        "aibrix", aibrix, COUNTS, 0.0, True,
        "AIBrix, leastadapters.go and least_request.go", "its one pod",
    ),
)  # fmt: skip
