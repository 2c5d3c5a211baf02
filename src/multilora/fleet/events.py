"""What happens to a fleet: an engine dies, one is added, a tenant comes."""

from collections.abc import Iterable
from typing import NamedTuple

from multilora.arguments import finite_number, integer, items, shown
from multilora.fleet.homes import check_engines
from multilora.serving.workload import MAX_S, NS_PER_S


class Dies(NamedTuple):
    """An engine dies at at_s; a cold one takes its number at back_s.

    back_s None is never. The router goes on to choose the dead engine for
    noticed_s seconds, with nothing in flight there; a request that it sends
    there is refused, and sent again.
    """

    at_s: float
    engine: int
    back_s: float | None = None
    noticed_s: float = 0.0


class Joins(NamedTuple):
    """A cold engine is added at at_s: the next number, the last's limits."""

    at_s: float


class Onboards(NamedTuple):
    """A tenant's adapter is loaded on engines, one after the other.

    The first has it at at_s, each other one each_s later. Nobody has it
    before, unless homes names engines that do. An engine that is dead at its
    time does not get it, and one that dies does not have it when it is back.
    """

    at_s: float
    tenant: int
    engines: tuple[int, ...]
    each_s: float = 0.0


Event = Dies | Joins | Onboards
KINDS = (Dies, Joins, Onboards)


def check_events(
    events: Iterable[Event], num_engines: int, num_adapters: int
) -> list[Event]:
    """Return events in order of time, or raise an error that names one.

    ValueError for an engine or a tenant that is not there, a time below 0,
    an engine that comes back before it dies, dies while it is dead, or gets
    an adapter before it joins; TypeError for what is no event.
    """
    num_engines = check_engines(num_engines)
    num_adapters = integer("num_adapters", num_adapters, 1)
    found = items("events", events, object)
    num = num_engines + sum(isinstance(event, Joins) for event in found)
    for place, event in enumerate(found):
        name = f"events[{place}]"
        if not isinstance(event, KINDS):
            raise TypeError(
                f"{name} is {shown(event)}, but must be Dies, Joins or "
                "Onboards"
            )
        finite_number(f"at_s of {name}", event.at_s, 0, MAX_S)
        if isinstance(event, Dies):
            _check_dies(name, event, num)
        elif isinstance(event, Onboards):
            _check_onboards(name, event, num, num_adapters)
    in_order = sorted(found, key=lambda event: event.at_s)
    _require_alive(in_order, num_engines)
    _require_joined(in_order, num_engines)
    return in_order


def to_ns(seconds: float) -> int:
    """Return whole nanoseconds."""
    return round(seconds * NS_PER_S)


def _check_dies(name, event, num):
    integer(f"engine of {name}", event.engine, 0, num - 1)
    finite_number(f"noticed_s of {name}", event.noticed_s, 0, MAX_S)
    if event.back_s is not None:
        finite_number(
            f"back_s of {name}", event.back_s, above=event.at_s, maximum=MAX_S
        )


def _check_onboards(name, event, num, num_adapters):
    integer(f"tenant of {name}", event.tenant, 0, num_adapters - 1)
    finite_number(f"each_s of {name}", event.each_s, 0, MAX_S)
    engines = items(f"engines of {name}", event.engines, object)
    if not engines:
        raise ValueError(
            f"engines of {name} is empty, but must name at least one"
        )
    for engine in engines:
        integer(f"an engine of {name}", engine, 0, num - 1)


def _require_alive(in_order, num_engines):
    """An engine must be there when it dies, and not dead already."""
    free_from = dict.fromkeys(range(num_engines), 0.0)
    for event in in_order:
        if isinstance(event, Joins):
            free_from[len(free_from)] = event.at_s
        elif isinstance(event, Dies):
            since = free_from.get(event.engine, float("inf"))
            if event.at_s < since:
                raise ValueError(
                    f"events let engine {event.engine} die at "
                    f"{event.at_s:g} s, but it is not there then"
                )
            back = event.back_s
            free_from[event.engine] = float("inf") if back is None else back


def _require_joined(in_order, num_engines):
    """An engine must have joined when an adapter is loaded there."""
    joined = [0.0] * num_engines
    joined += [event.at_s for event in in_order if isinstance(event, Joins)]
    for event in in_order:
        if isinstance(event, Onboards):
            for place, engine in enumerate(event.engines):
                at_s = event.at_s + place * event.each_s
                if at_s < joined[engine]:
                    raise ValueError(
                        f"events load the adapter of tenant {event.tenant} "
                        f"on engine {engine} at {at_s:g} s, but it joins at "
                        f"{joined[engine]:g} s"
                    )
