"""A log of requests as a workload."""

from multilora.arguments import shown
from multilora.logs.read import Log
from multilora.serving.workload import Workload, make_workload


def log_workload(log: Log) -> Workload:
    """Return the Workload of a Log, its requests in the same order.

    Adapter ids are places in the log's tenants. Raises TypeError for
    another object, ValueError for a Log that read_log could not have made.
    """
    if not isinstance(log, Log):
        raise TypeError(f"log is {shown(log)}, but must be the Log of a file")
    return make_workload(
        log.times_s,
        log.adapter_ids,
        log.prompt_tokens,
        log.output_tokens,
        max(len(log.tenants), 1),
    )
