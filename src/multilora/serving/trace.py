"""What a simulated engine notes of each request, and of the whole run."""

from typing import NamedTuple

import numpy as np


class Trace(NamedTuple):
    """What an engine notes of each request (ns, int64), and of the whole.

    joined is the first walk of the waiting queue that saw it, admitted the
    start of its first step, first_token and finished ends of steps. deferred
    is how long its adapter did not fit, arrival_load and prefill_load how
    long loads stopped the step under way when it came, and its own steps up
    to the first token. kv_blocked is how long it waited for KV blocks,
    preempted how long it waited again after it lost them, both before its
    first token; num_preemptions is how often it lost them. loaded_from is 0
    where its adapter had a slot, 1 where it came from the CPU tier, 2 from
    disk.
    """

    joined: np.ndarray
    admitted: np.ndarray
    first_token: np.ndarray
    finished: np.ndarray
    deferred: np.ndarray
    arrival_load: np.ndarray
    prefill_load: np.ndarray
    kv_blocked: np.ndarray
    preempted: np.ndarray
    num_preemptions: np.ndarray
    loaded_from: np.ndarray
    totals: "Totals"


class Totals(NamedTuple):
    """Sums over a run: steps, loads, and time (ns) by what it went to.

    kv_ns is the busy time times the share of KV blocks that were held at
    the end of each stretch of equal steps, most_blocks the most ever held.
    """

    num_steps: int
    num_slot_loads: int
    num_disk_loads: int
    busy_ns: int
    load_ns: int
    seat_ns: int
    active_ns: int
    kv_ns: int
    most_blocks: int
    num_preemptions: int
