"""What a simulated engine notes of each request, and of the whole run."""

from typing import NamedTuple

import numpy as np


class Trace(NamedTuple):
    """What an engine notes of each request (ns, int64), and of the whole.

    joined is the first walk of the waiting queue that saw it, admitted the
    start of its first step, first_token and finished ends of steps. deferred
    is how long its adapter did not fit, arrival_load and prefill_load how
    long loads stopped the step under way when it came, and its own steps up
    to the first token. loaded_from is 0 where its adapter had a slot, 1
    where it came from the CPU tier, 2 from disk.
    """

    joined: np.ndarray
    admitted: np.ndarray
    first_token: np.ndarray
    finished: np.ndarray
    deferred: np.ndarray
    arrival_load: np.ndarray
    prefill_load: np.ndarray
    loaded_from: np.ndarray
    totals: "Totals"


class Totals(NamedTuple):
    """Sums over a run: steps, loads, and time (ns) by what it went to."""

    num_steps: int
    num_slot_loads: int
    num_disk_loads: int
    busy_ns: int
    load_ns: int
    seat_ns: int
    active_ns: int
