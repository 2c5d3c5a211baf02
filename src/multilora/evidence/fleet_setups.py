"""What the published set-ups leave out of a fleet, filled in alike."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from multilora.arguments import choice, finite_number, integer, shown
from multilora.fleet.play import serve_fleet
from multilora.fleet.played import FleetRun
from multilora.routing.rules import RULES
from multilora.serving.limits import engine_limits
from multilora.serving.terms import fitted_cost
from multilora.serving.workload import Workload, check_workload, make_workload
from multilora.traffic.arrivals import poisson_arrivals
from multilora.traffic.lengths import lognormal_tokens

MAX_SLOTS = 512
PROMPT_TOKENS, OUTPUT_TOKENS = 160, 200  # means; no source says its own


def poisson_workload(
    rates: npt.ArrayLike, duration_s: float, output_tokens: float
) -> Workload:
    """Return Poisson arrivals with lognormal lengths.

    rates is requests a second of each adapter; prompts have PROMPT_TOKENS in
    the mean, outputs output_tokens. The same arguments give the same
    requests. Raises ValueError as poisson_arrivals and lognormal_tokens do,
    and where nobody asks.
    """
    mean = finite_number("output_tokens", output_tokens, 1, 1024)
    times, ids = poisson_arrivals(rates, duration_s, seed=1)
    num = len(times)
    if not num:
        raise ValueError(
            f"rates is {shown(rates)} and duration_s {duration_s:g}, in which "
            "nobody asks"
        )
    return make_workload(
        times,
        ids,
        lognormal_tokens(num, PROMPT_TOKENS, seed=2),
        lognormal_tokens(num, mean, seed=3),
        np.size(rates),
    )


def play_rule(
    workload: Workload,
    max_loras: int,
    num_engines: int,
    rule: str,
    homes: Sequence[Sequence[int]] | None = None,
    max_lora_rank: int = 16,
) -> FleetRun:
    """Return the FleetRun of a rule with the step of fitted_cost.

    Every engine has every adapter in memory; homes are for rules that need
    a placement. Raises ValueError as engine_limits and serve_fleet do.
    """
    workload = check_workload(workload)
    name = choice("rule", rule, RULES)
    slots = integer("max_loras", max_loras, 1, MAX_SLOTS)
    limits = engine_limits(
        slots, max_cpu_loras=max(workload.num_adapters, slots)
    )
    cost = fitted_cost(slots, max_lora_rank)
    return serve_fleet(
        workload, limits, cost, num_engines=num_engines, rule=name, homes=homes
    )
