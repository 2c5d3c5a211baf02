"""Every rule serves a fleet, from its first engine to a new one."""

import numpy as np
import pytest

from multilora import traffic
from multilora.fleet.events import Dies, Joins
from multilora.fleet.play import serve_fleet
from multilora.routing.rules import RULES
from multilora.serving.limits import engine_limits
from multilora.serving.workload import make_workload

NUM, TENANTS = 400, 12
WORKLOAD = make_workload(
    traffic.bursts(NUM, 20), traffic.zipf(NUM, TENANTS), 32, 24, TENANTS
)
LIMITS = engine_limits(4, 16, 512, num_gpu_blocks=400)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_answers_all_while_engines_come_and_go(name):
    fleet = serve_fleet(
        WORKLOAD, LIMITS, num_engines=3, rule=name,
        events=[Dies(5, 1, 9, 0.5), Joins(12)],
    )  # fmt: skip
    assert not fleet.is_not_found.any()
    in_flight = 16 + 5  # at most these can be cut off by one death
    assert fleet.is_lost.sum() <= in_flight
    dead = (WORKLOAD.arrival_ns > 5.5e9) & (WORKLOAD.arrival_ns < 9e9)
    assert 1 not in fleet.engine_of[dead & (fleet.num_tries == 1)]
    assert fleet.num_sent.sum() >= fleet.is_done.sum()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_the_same_twice_and_keeps_to_holders_if_it_says_so(name):
    homes = [[t % 3, (t + 1) % 3] for t in range(TENANTS)]

    def play():
        return serve_fleet(
            WORKLOAD, LIMITS, num_engines=3, rule=name, homes=homes, seed=4
        )

    fleet, again = play(), play()
    assert (fleet.engine_of == again.engine_of).all()
    holds = np.array(homes)[WORKLOAD.adapter_ids]
    is_held = (fleet.engine_of[:, None] == holds).any(axis=1)
    assert (is_held == fleet.is_done).all()
    if RULES[name].asks_holders:
        assert fleet.is_done.all()


def test_affinity_loads_less_than_turns():
    """What a rule pins, it loads less often."""
    loads = {
        name: serve_fleet(
            WORKLOAD, LIMITS, num_engines=3, rule=name
        ).num_slot_loads.sum()
        for name in (
            "round_robin", "consistent_hash", "sticky_least_loaded",
            "production-stack-session", "llm-d-lora-load-state",
        )
    }  # fmt: skip
    turns = loads.pop("round_robin")
    assert all(num < 0.8 * turns for num in loads.values()), loads
