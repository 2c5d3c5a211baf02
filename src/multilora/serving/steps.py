"""Steps of an engine: arrivals, the scheduler's walk, slots, waiting times.

One step is one forward pass. Every running request keeps its seat until it
has run its steps; KV blocks and token budgets are not modelled here.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from multilora.arguments import finite_number, integer, items
from multilora.cache.reuse import FIRST_USE, reuse_depths
from multilora.cache.slots import AdapterSlotCache, schedule_step

MAX_STEPS = 100_000


class Job(NamedTuple):
    """A request with the step it arrives at and the steps it runs for."""

    request_id: str
    adapter_id: int
    arrival: int
    num_steps: int


class Step(NamedTuple):
    """What one step did; admitted, deferred and running are request ids."""

    step: int
    admitted: list[str]
    deferred: list[str]
    running: list[str]
    num_loads: int


def simulate(
    jobs: Iterable[Job], max_loras: int, max_num_seqs: int | None = None
) -> list[Step]:
    """Return the Steps from 0 until every Job has run.

    Jobs queue in order of arrival. Each step: finished requests leave, new
    ones join the queue, schedule_step admits, and the adapters of all that
    run are activated in the slot cache. Raises ValueError for no jobs, a
    duplicate request_id, a negative arrival or fewer than one step.
    """
    queue = sorted(_check_jobs(jobs), key=lambda job: job.arrival)
    steps_left = {job.request_id: job.num_steps for job in queue}
    cache = AdapterSlotCache(max_loras)
    waiting: list[Job] = []
    running: list[Job] = []
    steps: list[Step] = []
    while queue or waiting or running:
        step = len(steps)
        if step >= MAX_STEPS:
            raise ValueError(f"jobs need more than {MAX_STEPS} steps")
        while queue and queue[0].arrival <= step:
            waiting.append(queue.pop(0))
        admitted, waiting = schedule_step(
            waiting, running, max_loras, max_num_seqs
        )
        running = running + admitted
        misses = cache.misses
        for job in running:
            cache.activate(job.adapter_id)
        steps.append(
            Step(
                step,
                _ids(admitted),
                _ids(waiting),
                _ids(running),
                cache.misses - misses,
            )
        )
        for job in running:
            steps_left[job.request_id] -= 1
        running = [job for job in running if steps_left[job.request_id]]
    return steps


def steps_waited(jobs: Iterable[Job], steps: Iterable[Step]) -> dict[str, int]:
    """Return {request_id: steps between arrival and admission}.

    Raises ValueError when a step admits a request that jobs does not hold.
    """
    arrival = {job.request_id: job.arrival for job in items("jobs", jobs, Job)}
    waited = {}
    for step in items("steps", steps, Step):
        for request_id in step.admitted:
            if request_id not in arrival:
                raise ValueError(
                    f"steps admits {request_id!r}, which jobs does not hold"
                )
            waited[request_id] = step.step - arrival[request_id]
    return waited


def hot_and_cold(
    num_steps: int, hot_every: int = 2, run_steps: int = 3
) -> list[Job]:
    """Return Jobs: adapter 1 asks again and again, adapter 2 asks once.

    The hot adapter's requests arrive every hot_every steps up to num_steps
    and run run_steps each; the cold one queues right behind the first.
    """
    num_steps = integer("num_steps", num_steps, 1, MAX_STEPS)
    hot_every = integer("hot_every", hot_every, minimum=1)
    run_steps = integer("run_steps", run_steps, minimum=1)
    jobs = [
        Job(f"hot-{step}", 1, step, run_steps)
        for step in range(0, num_steps + 1, hot_every)
    ]
    jobs.insert(1, Job("cold", 2, 0, run_steps))
    return jobs


def first_token_ms(
    trace: npt.ArrayLike, max_loras: int, warm_ms: float, load_ms: float
) -> np.ndarray:
    """Return TTFT in ms of each request when only the slot can be cold.

    warm_ms for a hit, warm_ms + load_ms for a miss; one LRU cache, no
    queueing. trace holds adapter ids, base rows (-1) left out.
    """
    warm_ms = finite_number("warm_ms", warm_ms, minimum=0)
    load_ms = finite_number("load_ms", load_ms, minimum=0)
    max_loras = integer("max_loras", max_loras, minimum=1)
    depths = reuse_depths(trace)
    is_miss = (depths == FIRST_USE) | (depths >= max_loras)
    return warm_ms + load_ms * is_miss


def _check_jobs(jobs):
    jobs = items("jobs", jobs, Job)
    if not jobs:
        raise ValueError("jobs is empty, but must hold at least one Job")
    for job in jobs:
        integer(f"arrival of {job.request_id!r}", job.arrival, minimum=0)
        integer(f"num_steps of {job.request_id!r}", job.num_steps, minimum=1)
    if len({job.request_id for job in jobs}) < len(jobs):
        raise ValueError("jobs holds a request_id twice; ids must be unique")
    return jobs


def _ids(jobs):
    return [job.request_id for job in jobs]
