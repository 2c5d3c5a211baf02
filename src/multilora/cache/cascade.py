"""Loads of adapters in a run: who runs when, slots, and a walk a step."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from multilora.arguments import choice, integer, items, shown
from multilora.cache.events import Event, adapters_by_event
from multilora.cache.tiers import AdapterTiers
from multilora.cache.walks import MAX_IN_A_SET, WALKS, SetOrder


class LoadRun(NamedTuple):
    """Counts of one run; loads are those after the warm start."""

    num_arrived: int
    num_completed: int
    slot_loads: int
    disk_loads: int

    @property
    def loads_per_request(self) -> float:
        """Copies into slots over completed requests; 0.0 without any."""
        return self.slot_loads / max(self.num_completed, 1)


def simulate_loads(
    arrivals: tuple[Sequence[float] | np.ndarray, Sequence[int] | np.ndarray],
    num_adapters: int,
    max_loras: int,
    step_ms: float,
    steps_per_request: int,
    duration_s: float,
    walk: str = "one by one",
    max_cpu_loras: int | None = None,
    seed: int = 0,
) -> LoadRun:
    """Return the LoadRun of arrivals on one engine.

    arrivals is (times in seconds, adapter ids from 0 to num_adapters - 1),
    as traffic.poisson gives them. Each step, requests that ran out leave,
    waiting ones are admitted as schedule_step does, and the step's adapters
    are activated by `walk` (walks.WALKS) in the order of a Python set
    (SetOrder of seed). max_cpu_loras None is a CPU tier for every adapter.
    The caches start warm: every adapter was activated once, in order.
    Raises ValueError for times that do not ascend or an id out of range.
    """
    events = adapters_by_event(
        arrivals, num_adapters, max_loras, step_ms, steps_per_request,
        duration_s,
    )  # fmt: skip
    slot_loads, disk_loads = count_loads(
        events, num_adapters, max_loras, walk, max_cpu_loras, seed
    )
    num_completed = events[-1].num_completed if events else 0
    return LoadRun(len(arrivals[0]), num_completed, slot_loads, disk_loads)


def count_loads(
    events: Iterable[Event],
    num_adapters: int,
    max_loras: int,
    walk: str = "one by one",
    max_cpu_loras: int | None = None,
    seed: int = 0,
) -> tuple[int, int]:
    """Return (loads into slots, reads of the disk) of a run's Events.

    events is what adapters_by_event returns; the other arguments and errors
    are those of simulate_loads.
    """
    events = _checked(events, num_adapters, max_loras)
    way = WALKS[choice("walk", walk, WALKS)]
    tiers = _warm(num_adapters, max_loras, max_cpu_loras)
    loads, reads = tiers.slot_loads, tiers.disk_loads
    in_set_order = SetOrder(num_adapters, seed)
    before: list[int] = []
    num_walks = 0
    next_steps = [*(event.step for event in events[1:]), np.inf]
    for event, next_step in zip(events, next_steps, strict=False):
        if event.adapters != before:
            before, num_walks = event.adapters, way.num_to_settle
        # Every step walks; what has settled need not be walked again.
        for _ in range(int(min(num_walks, next_step - event.step))):
            tiers.walk_step(in_set_order(before), way)
            num_walks -= 1
    return tiers.slot_loads - loads, tiers.disk_loads - reads


def _checked(events, num_adapters, max_loras) -> list[Event]:
    num_adapters = integer("num_adapters", num_adapters, 1, MAX_IN_A_SET)
    max_loras = integer("max_loras", max_loras, minimum=1)
    known = set(range(num_adapters))
    events = items("events", events, Event)
    for event in events:
        integer("step of events", event.step, minimum=0)
        if len(event.adapters) > max_loras or not known.issuperset(
            event.adapters
        ):
            raise ValueError(
                f"events holds {shown(event)}, but its adapters must be at "
                f"most max_loras = {max_loras}, with ids below num_adapters "
                f"= {num_adapters}"
            )
    return events


def _warm(num_adapters, max_loras, max_cpu_loras):
    if max_cpu_loras is None:
        max_cpu_loras = max(num_adapters, max_loras)
    tiers = AdapterTiers(max_loras, max_cpu_loras)
    for adapter_id in range(num_adapters):
        tiers.activate(adapter_id)
    return tiers
