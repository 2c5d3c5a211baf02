"""Moves: what it costs to spread the load of a fleet that runs."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy.typing as npt

from multilora.arguments import finite_number, items
from multilora.fleet.flow import split
from multilora.fleet.homes import check_homes, num_moves
from multilora.fleet.loads import DUST, check_loads, engine_loads


class Moves(NamedTuple):
    """What it costs to keep every engine's load at or below capacity."""

    capacity: float
    num_moves: int
    load_moved: float
    busiest: float


def moves_by_capacity(
    loads: npt.ArrayLike,
    old: Sequence[Sequence[int]],
    num_engines: int,
    capacities: Iterable[float],
) -> list[Moves]:
    """Return the Moves of each capacity: how much spread costs in moves.

    A low capacity spreads the load and moves many adapters, a high one
    leaves them where they are. Arguments and errors are those of split.
    """
    row = check_loads(loads)
    before = check_homes(old, num_engines, len(row), "old", 0)
    rows = []
    for capacity in items("capacities", capacities, object):
        most = finite_number("capacities", capacity, above=0)
        if row.sum() > num_engines * most * (1 + DUST):
            raise ValueError(
                f"capacities holds {most:g}, but the loads sum to "
                f"{row.sum():g} and num_engines is {num_engines}"
            )
        new = split(row, num_engines, most, before)
        moved = sum(
            load * share
            for load, was, now, part in zip(row, before, *new, strict=True)
            for engine, share in zip(now, part, strict=True)
            if engine not in was
        )
        busiest = max(engine_loads(new.homes, row, num_engines, new.shares))
        moves = num_moves(before, new.homes, num_engines)
        rows.append(Moves(most, moves, float(moved), busiest))
    return rows
