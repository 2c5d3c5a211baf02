"""On how many engines a tenant must be whom one engine serves too late."""

from collections.abc import Iterable, Sequence

import numpy as np

from multilora.arguments import integer
from multilora.fleet.homes import engine_lists
from multilora.fleet.placement import by_rank
from multilora.fleet.turns import in_turn
from multilora.plan.case import Case, check_case
from multilora.plan.load import Groups
from multilora.plan.played import Dials, play
from multilora.plan.tenants import all_verdicts

MOST = 16  # engines of one tenant; who is late with so many stays late


def replicas_of(
    case: Case, tenants: Iterable[int], budgets: Sequence[int]
) -> dict[int, int]:
    """Return {tenant: engines} of those whom several engines serve in time.

    tenants are late alone on one engine (reach.out_of_reach). Each is played
    alone, their requests dealt over 2 to MOST engines in turn, with each of
    these max_num_batched_tokens. Who is late on MOST engines is left out: no
    number of engines helps them.
    """
    case = check_case(case)
    found = {}
    for tenant in tenants:
        is_in_time = _judge(case, tenant, budgets)
        if is_in_time(MOST):
            found[tenant] = _fewest(is_in_time)
    return found


def _judge(case, tenant, budgets):
    load = case.workload
    is_theirs = load.adapter_ids == tenant
    alone = case._replace(
        workload=load._replace(
            arrival_ns=load.arrival_ns[is_theirs],
            adapter_ids=load.adapter_ids[is_theirs],
            prompt_tokens=load.prompt_tokens[is_theirs],
            output_tokens=load.output_tokens[is_theirs],
        )
    )
    _, seats = case.settings.batch(case.max_model_len)

    def is_in_time(num_engines: int) -> bool:
        if is_theirs.sum() < num_engines:
            return False
        played = (
            play(alone, [[tenant]] * num_engines,
                 Dials(1, max(budget, seats), seats))
            for budget in budgets
        )  # fmt: skip
        return any(
            engines and all_verdicts(engines, case.slo).all()
            for engines in played
        )

    return is_in_time


def _fewest(is_in_time):
    """Halve between 1, which is too few, and MOST, which is enough."""
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        if is_in_time(middle):
            high = middle
        else:
            low = middle
    return high


def counts_for(
    case: Case, replicas: dict[int, int], num_engines: int
) -> list[int]:
    """Return on how many of num_engines each tenant is; 1 for most.

    No tenant is on more engines than there are. Where all of them together
    would leave an engine without a tenant, who has the largest load on each
    of their engines gets one more.
    """
    loads = check_case(case).loads
    num = integer("num_engines", num_engines, minimum=1)
    counts = np.ones(len(loads), dtype=np.int64)
    for tenant, count in replicas.items():
        counts[tenant] = min(count, num)
    is_asking = loads > 0
    while counts[is_asking].sum() < num:
        parts = np.where(counts < num, loads / counts, -1.0)
        counts[int(np.argmax(parts))] += 1
    return counts.tolist()


def groups_for(
    case: Case, counts: Sequence[int], num_engines: int
) -> list[Groups]:
    """Return the ways to spread tenants over engines that are tried.

    By load; and where ranks differ, high ranks together. counts is on how
    many engines each tenant is. A tenant of several engines can be cut short
    by the second way, which keeps neighbours together.
    """
    loads, ranks = check_case(case).loads, case.slot_ranks
    homes = in_turn(loads, counts, num_engines)
    found: list[Groups] = [engine_lists(homes, num_engines)]
    if num_engines > 1 and len(set(ranks)) > 1:
        parts = [t for t, count in enumerate(counts) for _ in range(count)]
        cut = by_rank(
            [loads[tenant] / counts[tenant] for tenant in parts],
            [ranks[tenant] for tenant in parts],
            num_engines,
        )
        found.append([sorted({parts[k] for k in group}) for group in cut])
    return found
