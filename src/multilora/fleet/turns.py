"""Turns: a tenant with several homes has its requests dealt over them."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from multilora.arguments import integer
from multilora.fleet.homes import MAX_TENANTS, Homes, check_engines
from multilora.fleet.loads import check_counts, check_loads


def in_turn(
    loads: npt.ArrayLike,
    counts: Iterable[int],
    num_engines: int,
    slots: int = MAX_TENANTS,
) -> Homes:
    """Return the homes of each tenant, each engine's load about equal.

    loads is one number a tenant, counts on how many engines it is (as
    replicas.replicas returns them). A tenant's requests are dealt over its
    homes in turn, so each gets an equal part. Tenants, the largest part
    first, go to the engines with the least load so far, of equals to those
    with the fewest tenants; where all counts are 1 that is
    placement.balanced. An engine with `slots` tenants is full: loads are
    then less even, but no adapter must leave a slot for another. Raises
    ValueError for a count above num_engines, or where slots run out.
    """
    row = check_loads(loads)
    num = check_engines(num_engines)
    copies = check_counts(counts, len(row), num)
    most = integer("slots", slots, 1, MAX_TENANTS)
    parts = row / copies
    homes: Homes = [[] for _ in row]
    filled = [(0.0, 0, engine) for engine in range(num)]
    for tenant in np.argsort(-parts, kind="stable").tolist():
        filled.sort()
        room = [place for place, one in enumerate(filled) if one[1] < most]
        if len(room) < copies[tenant]:
            raise ValueError(
                f"slots is {most} on each of {num} engines, too few for "
                f"tenant {tenant} of {len(row)} after those with more load; "
                "flow.fewest_moves finds homes wherever there are any"
            )
        for place in room[: int(copies[tenant])]:
            load, tenants, engine = filled[place]
            homes[tenant].append(engine)
            filled[place] = load + float(parts[tenant]), tenants + 1, engine
    return homes
