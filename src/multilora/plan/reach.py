"""Which tenants an SLO is out of reach for, however many engines there are."""

import numpy as np

from multilora.matmul.operands import BASE
from multilora.plan.case import Case, check_case
from multilora.plan.played import Dials, play
from multilora.plan.tenants import verdicts
from multilora.serving.workload import Workload


def out_of_reach(case: Case, budgets: tuple[int, ...]) -> tuple[int, ...]:
    """Return the tenants who miss the SLO even alone on an engine.

    Each is played with a slot and an engine of their own, and with each of
    these max_num_batched_tokens; who is in time with one of them is left
    out. More engines help none of the rest: a tenant of this plan is on one.
    """
    case = _without_base(check_case(case))
    asking = np.unique(case.workload.adapter_ids).tolist()
    groups = [[tenant] for tenant in asking]
    _, seats = case.settings.batch(case.max_model_len)
    late = np.ones(len(asking), dtype=bool)
    for budget in budgets:
        engines = play(case, groups, Dials(1, max(budget, seats), seats))
        if engines is None:
            return ()
        in_time = [verdicts(one.run, case.slo).all() for one in engines]
        late &= ~np.array(in_time)
    return tuple(np.array(asking)[late].tolist())


def _without_base(case: Case) -> Case:
    load = case.workload
    is_tenant = load.adapter_ids != BASE
    return case._replace(
        workload=Workload(
            load.arrival_ns[is_tenant],
            load.adapter_ids[is_tenant],
            load.prompt_tokens[is_tenant],
            load.output_tokens[is_tenant],
            load.num_adapters,
        )
    )
