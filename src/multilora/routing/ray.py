"""Ray Serve's multiplexing: replicas that hold the model, then others."""

from random import Random

from multilora.routing.given import RESIDENTS, Ask, Choose, Rule, Setup
from multilora.routing.plain import less_loaded_of_two

# Ray Serve's max_ongoing_requests of a deployment, unless it is set.
MAX_ONGOING = 5
# A replica pushes the ids that it holds this often.
PUSH_MS = 100.0


def multiplexed(setup: Setup, max_ongoing: int = MAX_ONGOING) -> Choose:
    """Return a chooser by Ray Serve's order of tries for a model's id.

    First the replicas known to hold the id; where none is known, and again
    where those that were drawn are full, the replicas with the fewest ids;
    then all. Each try draws two replicas and takes the one with the shorter
    queue (of equals the first drawn) of those with fewer than max_ongoing
    requests. Under load this spreads a model over every replica.

    A replica's ids are those in its slots (set max_num_models_per_replica
    to max_loras). Ray waits between the tries, 25 ms and then 1 to 2 s in
    all; here they follow at once, and where all are full the shorter queue
    of two gets the request.

    Source: Ray 2.60, serve/_private/request_router: request_router.py
    (MultiplexMixin) and pow_2_router.py.
    """
    draw = Random(setup.seed).random

    def choose(ask: Ask) -> int:
        replicas = ask.engines
        if ask.adapter_id < 0:
            return less_loaded_of_two(replicas, ask.in_flight, draw)
        ids = [ask.seen[k].in_slots for k in replicas]
        fewest = min(map(len, ids))
        tries = (
            [k for k in replicas if ask.adapter_id in ask.seen[k].in_slots],
            [k for k, held in zip(replicas, ids, strict=True)
             if len(held) == fewest],
            replicas,
        )  # fmt: skip
        for candidates in tries:
            if candidates:
                chosen = less_loaded_of_two(candidates, ask.in_flight, draw)
                if ask.in_flight[chosen] < max_ongoing:
                    break
        return chosen

    return choose


RAY = (
    Rule(
        "ray-serve-multiplexed", multiplexed, RESIDENTS, PUSH_MS, False,
        "Ray 2.60, serve/_private/request_router", "its residents, while idle",
    ),
)  # fmt: skip
