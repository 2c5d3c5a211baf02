"""How many engines a fleet needs: by slots, and by load at its peak."""

import math
from collections.abc import Iterable

import numpy as np

from multilora.arguments import finite_number, integer, items
from multilora.fleet.homes import MAX_TENANTS
from multilora.memory.economics import engines_needed

HOURS = 24


def load_by_hour(
    tenants: int, peak_load: float, spread_hours: int, quiet_share: float = 0.1
) -> np.ndarray:
    """Return the fleet's load in each of 24 hours, in engine loads.

    Each tenant has one busy hour worth `peak_load` (in shares of what one
    engine can serve) and `quiet_share` of that otherwise. Busy hours start
    at 9 a.m. and spread evenly over spread_hours hours: 1 means that all
    tenants spike together. Raises ValueError below 1 tenant or hour.
    """
    tenants = integer("tenants", tenants, 1, MAX_TENANTS)
    peak_load = finite_number("peak_load", peak_load, minimum=0)
    spread = integer("spread_hours", spread_hours, minimum=1, maximum=HOURS)
    quiet = finite_number("quiet_share", quiet_share, minimum=0, maximum=1)
    busy_hour = (9 + np.arange(tenants) % spread) % HOURS
    busy = np.bincount(busy_hour, minlength=HOURS)
    return peak_load * (busy + (tenants - busy) * quiet)


def engines_under_load(
    tenants: int, max_loras: int, load: Iterable[float]
) -> int:
    """Return engines for slots and for load: the larger of the two.

    `load` is the array of load_by_hour. A fleet sized at its peak needs
    ceil(max(load)) engines to serve it and ceil(tenants / max_loras) to
    give each tenant a slot. Load is taken to split freely over engines, so
    a real fleet needs this many or more.
    """
    floor = engines_needed(tenants, max_loras)
    peaks = [
        finite_number(f"load[{hour}]", value, minimum=0)
        for hour, value in enumerate(items("load", load, object))
    ]
    if not peaks:
        raise ValueError("load is empty, but must hold at least one hour")
    # A hair below the peak, so that 13.000000001 of float dust is 13.
    return max(floor, math.ceil(max(peaks) - 1e-9))


def merged_bytes(base_bytes: int, tenants: int) -> int:
    """Return the bytes of one merged copy of the base for each tenant."""
    base_bytes = integer("base_bytes", base_bytes, minimum=1)
    return base_bytes * integer("tenants", tenants, minimum=1)


def shared_bytes(base_bytes: int, adapter_bytes: int, tenants: int) -> int:
    """Return the bytes of one base and one adapter for each tenant."""
    base_bytes = integer("base_bytes", base_bytes, minimum=1)
    each = integer("adapter_bytes", adapter_bytes, minimum=1)
    return base_bytes + each * integer("tenants", tenants, minimum=1)
