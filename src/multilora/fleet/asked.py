"""The arguments of serve_fleet, checked: limits, and who holds what."""

from collections.abc import Iterable, Sequence

from multilora.arguments import integer, items, shown
from multilora.fleet.desk import Homes
from multilora.fleet.events import Event, Joins, Onboards
from multilora.serving.limits import Limits, check_limits


def limits_of(
    limits: Limits | Sequence[Limits], num_engines: int
) -> list[Limits]:
    """Return Limits for each engine of one for all, or of one each.

    Raises ValueError for another number of them.
    """
    if isinstance(limits, Limits):
        return [check_limits(limits)] * num_engines
    each = [check_limits(one) for one in items("limits", limits, object)]
    if len(each) != num_engines:
        raise ValueError(
            f"limits holds {len(each)}, but must be one Limits for all or "
            f"one for each of the {num_engines} engines"
        )
    return each


def homes_of(
    homes: Sequence[Iterable[int]] | None,
    num_adapters: int,
    num_engines: int,
    events: Sequence[Event],
) -> Homes:
    """Return the engines of each adapter that is not on all, as a set each.

    A tenant of an Onboards is on none at first, unless homes names some.
    Raises ValueError for another number of rows than adapters, an engine
    that never is there, or a tenant whom nobody ever serves.
    """
    num = num_engines + sum(isinstance(event, Joins) for event in events)
    found: Homes = {}
    if homes is not None:
        rows = items("homes", homes, object)
        if len(rows) != num_adapters:
            raise ValueError(
                f"homes holds {len(rows)}, but must be one list of engines "
                f"for each of the {num_adapters} adapters"
            )
        for tenant, row in enumerate(rows):
            name = f"homes[{tenant}]"
            if not isinstance(row, Iterable) or isinstance(row, str):
                raise TypeError(
                    f"{name} is {shown(row)}, but must be a list of engines"
                )
            found[tenant] = {
                integer(f"an engine of {name}", e, 0, num - 1) for e in row
            }
            if not found[tenant] and not any(
                isinstance(event, Onboards) and event.tenant == tenant
                for event in events
            ):
                raise ValueError(
                    f"{name} is empty, but a tenant whom no engine serves "
                    "needs an event Onboards"
                )
    for event in events:
        if isinstance(event, Onboards):
            found.setdefault(event.tenant, set())
    return found
