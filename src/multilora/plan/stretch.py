"""The busiest stretch of a long log, which settings are searched on."""

import numpy as np

from multilora.arguments import integer
from multilora.serving.workload import Workload, check_workload


def busiest(workload: Workload, num_requests: int) -> Workload:
    """Return the requests in a row that came in the shortest time.

    All of them where there are no more than num_requests. Times and ids stay
    as they are. Raises ValueError for a num_requests below 1.
    """
    workload = check_workload(workload)
    num = integer("num_requests", num_requests, minimum=1)
    if workload.num_requests <= num:
        return workload
    times = workload.arrival_ns
    start = int(np.argmin(times[num - 1 :] - times[: len(times) - num + 1]))
    rows = slice(start, start + num)
    return Workload(
        times[rows],
        workload.adapter_ids[rows],
        workload.prompt_tokens[rows],
        workload.output_tokens[rows],
        workload.num_adapters,
    )
