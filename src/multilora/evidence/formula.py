"""ceil(tenants / max_loras), beside a plan of the same tenants."""

import math
from typing import NamedTuple

import numpy as np

from multilora.arguments import finite_number, integer
from multilora.deploy.serve_args import checked_plan
from multilora.logs.read import example_log_path, read_log
from multilora.matmul.operands import BASE
from multilora.memory.economics import engines_needed
from multilora.models.shipped import model_shape
from multilora.plan.answer import Plan, Slo
from multilora.plan.case import Case, check_case, make_case
from multilora.plan.costs import fitted_costs
from multilora.serving.cost import StepCost
from multilora.serving.logged import log_workload
from multilora.serving.workload import Workload, check_workload
from multilora.traffic.generators import MAX_ADAPTERS

SEEDS_SLOTS = 8  # max_loras of the seeds' slide


class Way(NamedTuple):
    """A way to count engines, its number, and what it counts."""

    name: str
    num_engines: int
    what: str


def repeated(workload: Workload, num_tenants: int) -> Workload:
    """Return the traffic of so many tenants, each a copy of one who is there.

    Tenant k sends what tenant k modulo the number of tenants sent. A further
    copy begins later in the log and goes on from its start, so copies are
    not busy together. Requests of the base stay as they are. Raises
    ValueError for fewer tenants than there are.
    """
    load = check_workload(workload)
    have = load.num_adapters
    num = integer("num_tenants", num_tenants, have, MAX_ADAPTERS)
    copies = -(-num // have)
    start, end = int(load.arrival_ns[0]), int(load.arrival_ns[-1])
    parts = []
    for copy in range(copies):
        is_there = load.adapter_ids + copy * have < num
        if copy:
            is_there &= load.adapter_ids != BASE
        shift = copy * (end - start) // copies
        times = (load.arrival_ns - start + shift) % (end - start + 1) + start
        ids = load.adapter_ids + copy * have
        parts.append(
            [column[is_there] for column in (
                times, ids, load.prompt_tokens, load.output_tokens)]
        )  # fmt: skip
    times, ids, prompts, replies = (
        np.concatenate(row) for row in zip(*parts, strict=True)
    )
    order = np.argsort(times, kind="stable")
    return Workload(
        times[order], ids[order], prompts[order], replies[order], num
    )


def example_case(
    num_tenants: int = 100, card_gib: float = 79.1, ttft_p99_ms: float = 1000
) -> Case:
    """Return the Case of `multilora plan --example` with more tenants.

    The base is Llama-3.1-8B, ranks are 16, the traffic is that of the log we
    ship, repeated. Raises ValueError as repeated does.
    """
    slo_ms = finite_number("ttft_p99_ms", ttft_p99_ms, above=0, maximum=1e9)
    shape = model_shape("Llama-3.1-8B")
    log = log_workload(read_log(example_log_path()))
    return make_case(
        "meta-llama/Llama-3.1-8B", shape, card_gib,
        repeated(log, num_tenants), fitted_costs(shape),
        slo=Slo(ttft_p99_ms=slo_ms),
    )  # fmt: skip


def beside_the_formula(
    case: Case, plan: Plan, max_loras: int = SEEDS_SLOTS
) -> list[Way]:
    """Return the ways to count the engines of a plan, the formula's first.

    The second divides by the slots that the plan found room for, the third
    is the least that the GPUs must compute, the last the plan's. Raises
    TypeError for no Plan, ValueError for a max_loras below 1.
    """
    plan = checked_plan(plan)
    num = check_case(case).num_asking
    slots = max(engine.setting.max_loras for engine in plan.engines)
    load = least_load(case, plan)
    return [
        Way(
            "formula",
            engines_needed(num, max_loras),
            f"{num} tenants, each with a slot, {max_loras} slots an engine",
        ),
        Way(
            "by memory",
            engines_needed(num, slots),
            f"the same with the {slots} slots that the plan has room for",
        ),
        Way(
            "by load",
            max(1, math.ceil(load)),
            f"at least {load:.2f} engines compute all the time, every step "
            "full",
        ),
        Way("planned", len(plan.engines), reason(case, plan, max_loras)),
    ]


def least_load(case: Case, plan: Plan) -> float:
    """Return how many engines the traffic keeps busy at least.

    Every token is taken at the lowest price that a step's cost has, and a
    step's fixed part is shared by max_num_seqs requests: no schedule on
    these engines takes less, so fewer engines cannot do it.
    """
    setting = checked_plan(plan).engines[0].setting
    cost = check_case(case).costs.cost(
        setting.max_loras, setting.max_lora_rank
    )
    load = case.workload
    fixed_ns = cost.step_ns / setting.max_num_seqs
    each_ns = (fixed_ns + _least(cost, "seq")) * load.output_tokens
    each_ns = each_ns + _least(cost, "prompt_token") * load.prompt_tokens
    return float(each_ns.sum() / 1e9 / max(case.seconds, 1e-9))


def _least(cost: StepCost, name: str) -> int:
    near, far = getattr(cost, f"{name}_ns"), getattr(cost, f"far_{name}_ns")
    is_bent = getattr(cost, f"{name}_knee") < 2**31
    return min(near, far) if is_bent else near


def reason(case: Case, plan: Plan, max_loras: int = SEEDS_SLOTS) -> str:
    """Return why a plan has another number of engines than the formula.

    By its slots, its promise, and the loss that it must survive.
    """
    num = check_case(case).num_asking
    plan = checked_plan(plan)
    formula, planned = engines_needed(num, max_loras), len(plan.engines)
    slots = max(engine.setting.max_loras for engine in plan.engines)
    spare = "; and one engine may be lost" if plan.spare else ""
    if planned < formula:
        has_slot = all(
            engine.setting.max_loras >= len(engine.tenants)
            for engine in plan.engines
        )
        why = (
            "so every tenant has one"
            if has_slot
            else "and tenants do not all ask at once"
        )
        return f"an engine has {slots} slots, not {max_loras}, {why}{spare}"
    if planned > formula:
        return (
            f"{formula} engines do not keep each tenant's p99 within "
            f"{plan.slo.ttft_p99_ms:,.0f} ms{spare}"
        )
    return f"slots, load and promise ask for as many{spare}"
