"""The run against a plain loop over steps, and against published runs."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from multilora import traffic
from multilora.cache.cascade import count_loads, simulate_loads
from multilora.cache.events import Event
from multilora.cache.slots import Request, schedule_step
from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import WALKS, SetOrder


def plain_run(arrivals, num_adapters, max_loras, run_steps, last, walk, cpu):
    """Every step in full: the queue walked, every adapter activated."""
    tiers = AdapterTiers(max_loras, cpu)
    for adapter_id in range(num_adapters):
        tiers.activate(adapter_id)
    warm = tiers.slot_loads, tiers.disk_loads
    order = SetOrder(num_adapters, 0)
    times, ids = arrivals
    waiting, running, left, done, active = [], [], {}, 0, {}
    for step in range(last + 1):
        running = [item for item in running if left[item.request_id]]
        still = {item.adapter_id for item in running}
        for number in np.flatnonzero(np.ceil(times) == step):
            waiting.append(Request(number, int(ids[number])))
        admitted, waiting = schedule_step(waiting, running, max_loras)
        running = running + admitted
        left |= {item.request_id: run_steps for item in admitted}
        # As vLLM's dict of active adapters: kept while a request runs.
        kept = [a for a in active if a in still]
        active = dict.fromkeys(kept + [item.adapter_id for item in running])
        tiers.activate_step(order(active), walk)
        for item in running:
            left[item.request_id] -= 1
            # Done when the next step finds the seat empty.
            done += left[item.request_id] == 0 and step < last
    return done, tiers.slot_loads - warm[0], tiers.disk_loads - warm[1]


@settings(max_examples=200)
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 9),
    st.sampled_from(list(WALKS)),
    st.integers(0, 99),
)
@example(3, 2, 0, 3, "residents first", 40)  # settles in its second step
def test_the_run_is_the_plain_loop(
    num_adapters, max_loras, more, run_steps, walk, seed
):
    arrivals = traffic.poisson(num_adapters, 0.15, 50, seed)
    run = simulate_loads(
        arrivals, num_adapters, max_loras, 1000, run_steps, 60, walk,
        max_loras + more,
    )  # fmt: skip
    wanted = plain_run(
        arrivals, num_adapters, max_loras, run_steps, 60, walk,
        max_loras + more,
    )  # fmt: skip
    assert (run.num_completed, run.slot_loads, run.disk_loads) == wanted
    assert run.num_arrived == len(arrivals[0])


@pytest.mark.parametrize(
    ("arrivals", "error", "sentence"),
    [
        (([1.0], [3]), ValueError, "outside 0 to 2"),
        (([1.0], [0.5]), ValueError, "outside 0 to 2"),
        (([2.0, 1.0], [0, 0]), ValueError, "descend"),
        (([-1.0], [0]), ValueError, "negative"),
        (([np.nan], [0]), ValueError, "1 NaN"),
        (([1.0, 2.0], [0]), ValueError, "each request has one of both"),
        ([1.0], TypeError, "arrivals is"),
        (None, TypeError, "arrivals is None"),
    ],
)
def test_wrong_arrivals_are_named(arrivals, error, sentence):
    with pytest.raises(error, match=sentence):
        simulate_loads(arrivals, 3, 2, 10, 5, 60)


def test_without_a_limit_memory_holds_every_adapter():
    arrivals = traffic.poisson(6, 0.2, 100, seed=1)
    run = simulate_loads(arrivals, 6, 2, 1000, 5, 60)
    assert run.slot_loads > 10 and run.disk_loads == 0
    small = simulate_loads(arrivals, 6, 2, 1000, 5, 60, max_cpu_loras=2)
    assert small.slot_loads == small.disk_loads == run.slot_loads
    # Some requests came too late to be done, and are no part of the mean.
    assert run.num_completed < run.num_arrived
    assert run.loads_per_request == run.slot_loads / run.num_completed


def test_an_arrival_after_the_end_does_nothing():
    for late in (1e20, 61.0):
        assert simulate_loads(([late], [0]), 3, 2, 10, 5, 60)[1:] == (0, 0, 0)
    with pytest.raises(ValueError, match="step_ms is 1e-18, which makes"):
        simulate_loads(([1.0], [0]), 3, 2, 1e-18, 5, 60)


@pytest.mark.parametrize(
    ("event", "max_loras"),
    [(Event(0, [0, 1, 2], 0), 2), (Event(0, [3], 0), 2)],
)
def test_events_of_another_engine_are_refused(event, max_loras):
    with pytest.raises(ValueError, match="events holds Event"):
        count_loads([event], 3, max_loras, "ideal")


def test_no_arrivals_are_no_loads():
    run = simulate_loads(([], []), 3, 2, 10, 5, 60)
    assert run == (0, 0, 0, 0) and run.loads_per_request == 0
