"""A scheduler in which the longest deferred becomes a wall, and its price."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from multilora.arguments import integer, items
from multilora.cache.slots import AdapterSlotCache, schedule_step
from multilora.matmul.operands import BASE
from multilora.serving.steps import Job

MAX_STEPS = 100_000
R = TypeVar("R", bound=tuple)  # a Request, a Job


def aged_step(
    waiting: list[R],
    running: list[R],
    max_loras: int,
    waited: Mapping[str, int],
    patience: int,
) -> tuple[list[R], list[R]]:
    """Return (admitted, deferred) as schedule_step does, with a wall.

    waited is {request_id: steps in the queue}. Once the first request that
    does not fit has waited `patience` steps, nobody behind it is admitted,
    base requests excepted. Errors are those of schedule_step.
    """
    admitted, deferred = schedule_step(waiting, running, max_loras)
    if not deferred or waited[deferred[0][0]] < patience:
        return admitted, deferred
    wall = waiting.index(deferred[0])
    behind = waiting[wall:]
    base = [item for item in behind if item[1] == BASE]
    return waiting[:wall] + base, [item for item in behind if item[1] != BASE]


def play(
    jobs: Iterable[Job],
    max_loras: int,
    patience: int,
    rule: Callable = aged_step,
) -> tuple[dict[str, int], int]:
    """Return ({request_id: steps waited}, loads) of Jobs under a rule.

    As serving.steps.simulate, with the rule in schedule_step's place.
    Raises ValueError for a rule that lets some of the jobs wait for ever.
    """
    queue = sorted(items("jobs", jobs, Job), key=lambda job: job.arrival)
    patience = integer("patience", patience, minimum=0)
    cache, left, step = AdapterSlotCache(max_loras), len(queue), 0
    waited: dict[str, int] = {}
    waiting: list[Job] = []
    running: list[tuple[Job, int]] = []
    while left:
        if step == MAX_STEPS:
            raise ValueError(f"{left} jobs not done after {MAX_STEPS} steps")
        while queue and queue[0].arrival <= step:
            waiting.append(queue.pop(0))
        ages = {job.request_id: step - job.arrival for job in waiting}
        admitted, waiting = rule(waiting, list(map(_job, running)), max_loras,
                                 ages, patience)  # fmt: skip
        waited |= {job.request_id: ages[job.request_id] for job in admitted}
        running += [(job, step + job.num_steps) for job in admitted]
        for job, _ in running:
            cache.activate(job.adapter_id)
        step += 1
        left -= sum(end == step for _, end in running)
        running = [pair for pair in running if pair[1] > step]
    return waited, cache.misses


def _job(pair):
    return pair[0]
