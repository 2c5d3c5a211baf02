"""The arguments of serve_fleet, checked: limits, costs, who holds what."""

from collections.abc import Iterable, Mapping, Sequence

from multilora.arguments import integer, items, shown
from multilora.fleet.desk import Holders
from multilora.fleet.events import Event, Joins, Onboards
from multilora.routing.given import Rule
from multilora.routing.rules import check_rule
from multilora.routing.rules import rule as rule_named
from multilora.serving.cost import StepCost, check_cost
from multilora.serving.limits import Limits, check_limits
from multilora.serving.terms import fitted_cost


def rule_of(rule: str | Rule) -> Rule:
    """Return the Rule of a name, or the Rule itself, checked."""
    return check_rule(rule) if isinstance(rule, Rule) else rule_named(rule)


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


def costs_of(
    cost: StepCost | None, limits: Iterable[Limits]
) -> dict[Limits, StepCost]:
    """Return the StepCost of each Limits: cost, or None as serve takes it."""
    if cost is not None:
        return dict.fromkeys(limits, check_cost(cost))
    return {one: fitted_cost(one.max_loras) for one in limits}


def holders_of(
    homes: Sequence[Iterable[int]] | None,
    num_adapters: int,
    num_engines: int,
    events: Sequence[Event],
) -> Holders:
    """Return the engines of each adapter that is not on all, as a set each.

    A tenant of an Onboards is on none at first, unless homes names some.
    Raises ValueError for another number of rows than adapters, an engine
    that never is there, or a tenant whom nobody ever serves.
    """
    num = num_engines + sum(isinstance(event, Joins) for event in events)
    onboarded = {
        int(event.tenant) for event in events if isinstance(event, Onboards)
    }
    found: Holders = {tenant: set() for tenant in onboarded}
    if homes is None:
        return found
    rows = items("homes", homes, object)
    if len(rows) != num_adapters:
        raise ValueError(
            f"homes holds {len(rows)}, but must be one list of engines for "
            f"each of the {num_adapters} adapters"
        )
    for tenant, row in enumerate(rows):
        found[tenant] = _engines(f"homes[{tenant}]", row, num)
        if not found[tenant] and tenant not in onboarded:
            raise ValueError(
                f"homes[{tenant}] is empty, but a tenant whom no engine "
                "serves needs an event Onboards"
            )
    return found


def _engines(name, row, num_engines) -> set[int]:
    is_row = isinstance(row, Iterable) and getattr(row, "ndim", 1) == 1
    if not is_row or isinstance(row, str | bytes | Mapping):
        raise TypeError(
            f"{name} is {shown(row)}, but must be a list of engines"
        )
    return {
        integer(f"an engine of {name}", one, 0, num_engines - 1) for one in row
    }
