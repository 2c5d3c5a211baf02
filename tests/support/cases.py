"""Cases for the plan: small bases, few tenants, traffic of a minute."""

import numpy as np

from multilora.models.shipped import model_shape
from multilora.plan.answer import Slo
from multilora.plan.case import make_case
from multilora.plan.costs import fitted_costs
from multilora.serving.workload import make_workload
from multilora.traffic.arrivals import poisson_arrivals
from multilora.traffic.generators import zipf_popularity
from multilora.traffic.lengths import lognormal_tokens

LLAMA = model_shape("Llama-3.1-8B")


def a_case(
    num_tenants=8, rate=2.0, seconds=300, card_gib=79.1, slo_ms=500.0,
    shape=LLAMA, share=1.0, **more,
):  # fmt: skip
    """A Case of tenants under Zipf 1, prompts of 128, replies of 64."""
    rates = rate * zipf_popularity(num_tenants)
    times, ids = poisson_arrivals(rates, seconds, seed=3)
    num = len(times)
    workload = make_workload(
        times,
        ids,
        lognormal_tokens(num, 128, 1, 1024, 1),
        lognormal_tokens(num, 64, 1, 1024, 2),
        num_tenants,
    )
    return make_case(
        shape.name, shape, card_gib, workload, fitted_costs(shape),
        slo=Slo(ttft_p99_ms=slo_ms, share=share), **more,
    )  # fmt: skip


def a_workload(ids, num_adapters=None, gap_s=1.0):
    """Requests one after the other, with these adapter ids."""
    return make_workload(
        np.arange(len(ids)) * gap_s, ids, num_adapters=num_adapters
    )
