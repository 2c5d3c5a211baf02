"""Loads: what each tenant asks for, and what each engine gets of it."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from multilora.arguments import (
    finite_number,
    integer_array,
    items,
    real_array,
    require_finite,
    shown,
)
from multilora.fleet.homes import check_homes

DUST = 1e-9  # below this share a sum of floats is taken as equal
MAX_LOAD = 1e15


def check_loads(loads: npt.ArrayLike) -> np.ndarray:
    """Return loads as floats, one a tenant, at least one, 0 to MAX_LOAD."""
    row = real_array("loads", loads, "one load a tenant")
    if row.ndim != 1 or not row.size:
        raise ValueError(
            f"loads is {shown(loads)}, but must be one load a tenant"
        )
    require_finite("loads", row)
    if row.min() < 0:
        raise ValueError(f"loads holds {row.min():g}, but must not be below 0")
    if row.max() > MAX_LOAD:
        raise ValueError(
            f"loads holds {row.max():g}, but must not be above {MAX_LOAD:g}"
        )
    return row.astype(np.float64)


def check_a_tenant(
    name: str, values: Iterable[int], num_tenants: int, minimum: int
) -> np.ndarray:
    """Return integers, one a tenant and none below minimum."""
    row = integer_array(name, items(name, values, object), "one a tenant")
    if row.shape != (num_tenants,):
        raise ValueError(
            f"{name} holds {row.size}, but must be one for each of the "
            f"{num_tenants} loads"
        )
    if row.min() < minimum:
        raise ValueError(
            f"{name} holds {row.min()}, but must not be below {minimum}"
        )
    return row


def check_counts(
    counts: Iterable[int], num_tenants: int, num_engines: int
) -> np.ndarray:
    """Return on how many engines each tenant is: 1 to num_engines."""
    row = check_a_tenant("counts", counts, num_tenants, 1)
    if row.max() > num_engines:
        raise ValueError(
            f"counts holds {row.max()} replicas, but num_engines is "
            f"{num_engines}"
        )
    return row


def engine_loads(
    homes: Sequence[Sequence[int]],
    loads: npt.ArrayLike,
    num_engines: int,
    shares: Sequence[Sequence[float]] | None = None,
) -> list[float]:
    """Return the load of each engine, in the unit of loads.

    homes are the engines of each tenant, loads one number a tenant. shares
    is the part of a tenant's load that each of its homes gets (flow.split
    returns them); None deals it over them equally. Raises ValueError for
    another number of homes or shares than loads, or shares below 0.
    """
    row = check_loads(loads)
    rows = check_homes(homes, num_engines, len(row))
    if shares is None:
        parts = [[1 / len(engines)] * len(engines) for engines in rows]
    else:
        parts = _checked_shares(shares, rows)
    found = [0.0] * num_engines
    for load, engines, part in zip(row.tolist(), rows, parts, strict=True):
        for engine, share in zip(engines, part, strict=True):
            found[engine] += load * share
    return found


def _checked_shares(shares, homes):
    rows = [
        [finite_number(f"shares[{t}]", one, 0) for one in items(
            f"shares[{t}]", row, object)]
        for t, row in enumerate(items("shares", shares, object))
    ]  # fmt: skip
    if [len(row) for row in rows] != [len(engines) for engines in homes]:
        raise ValueError("shares must hold one number for each home")
    return rows
