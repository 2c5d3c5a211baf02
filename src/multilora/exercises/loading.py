"""Part 4, first half: walks, loads, a cold start."""

from collections.abc import Sequence
from functools import cache
from itertools import permutations

import numpy as np

from multilora import traffic
from multilora.cache.cascade import simulate_loads
from multilora.cache.load_cost import seconds_loading
from multilora.cache.tiers import AdapterTiers
from multilora.exercises.answers import Function, Number
from multilora.exercises.compare import same, told
from multilora.exercises.given import several
from multilora.exercises.task import Exercise
from multilora.labs.switch import SlipError, require
from multilora.serving.cost import NS_PER_MS
from multilora.serving.limits import engine_limits
from multilora.serving.run import serve
from multilora.serving.terms import fitted_cost, step_terms
from multilora.serving.workload import make_workload


def loads_of_step(residents: Sequence[int], step: Sequence[int]) -> int:
    """Return the loads of a step's walk; residents are oldest use first."""
    return _loads(residents, step, "one by one")


def _loads(residents, step, walk):
    tiers = AdapterTiers(len(residents), 100)
    for adapter_id in residents:
        tiers.activate(adapter_id)
    tiers.activate_step(step, walk)
    return tiers.slot_loads - len(residents)


def _step_cases():
    rng = np.random.default_rng(11)
    cases = [
        ([1, 2], [3, 1]),
        ([1, 2, 3, 4], [5, 1, 2, 3]),
        ([1, 2, 3], [1, 4, 2]),
    ]
    return cases + [
        (
            rng.permutation(9)[:slots].tolist(),
            rng.permutation(9)[:needed].tolist(),
        )
        for slots, needed in ((4, 4), (5, 4), (6, 6), (6, 5))
    ]


def _no_refresh(residents, step):
    held, loads = list(residents), 0
    for adapter_id in step:
        if adapter_id not in held:
            held, loads = [*held[1:], adapter_id], loads + 1
    return loads


LOAD_SLIPS = [
    ("one load for each newcomer is the textbook's count: a newcomer may "
     "evict an adapter that the same step still needs",
     lambda held, step: _loads(held, step, "ideal")),
    ("a hit makes an adapter the newest, too", _no_refresh),
    ("an adapter that has its slot still is no load",
     lambda held, step: len(step)),
    ("residents is oldest first: the first of the list goes first",
     lambda held, step: loads_of_step(held[::-1], step)),
]  # fmt: skip

RESIDENTS, NEEDED = [1, 2, 3, 4, 5, 6], [1, 2, 4, 6, 7, 8]


def walk_order(answer: object) -> str:
    """Judge an order of NEEDED: right if it costs a load a newcomer."""
    given = several(answer, list)
    order = [item for one in given for item in NEEDED if same(one, item)]
    require(
        len(given) == len(NEEDED) and set(order) == set(NEEDED),
        f"{told(given)} is not the step's six adapters, each once",
    )
    loads = loads_of_step(RESIDENTS, order)
    fewest = len(set(NEEDED) - set(RESIDENTS))
    if loads > fewest:
        raise SlipError(
            f"this order costs {loads} loads: whom does the first newcomer "
            "evict, and is he needed later?"
        )
    return f"{loads} loads, one a newcomer, and it can be no fewer"


def walk_extremes() -> tuple[int, int]:
    """Return the fewest and the most loads of any order of NEEDED."""
    counts = [loads_of_step(RESIDENTS, p) for p in permutations(NEEDED)]
    return min(counts), max(counts)


SLOT_MS, DISK_MS, RUN_S, TENANTS = 8.6, 41, 300, 40


@cache
def loading_share(max_cpu_loras: int | None) -> float:
    """Return the share of five minutes that 8 slots spend loading."""
    run = simulate_loads(
        traffic.poisson(TENANTS, 0.05, RUN_S), TENANTS, 8, 40, 100, RUN_S,
        max_cpu_loras=max_cpu_loras,
    )  # fmt: skip
    lost_s = seconds_loading(run.slot_loads, run.disk_loads, SLOT_MS, DISK_MS)
    return lost_s / RUN_S


@cache
def smallest_tier(most: float = 0.05) -> int:
    """Return the smallest CPU tier that keeps loading below a share."""
    return next(n for n in range(8, 41) if loading_share(n) < most)


def _tier_slips():
    return {
        "room for everybody is safe; a smaller tier is enough here": TENANTS,
        "rounded down: there it is still above 5 %": smallest_tier() - 1,
        "that is the default, as many copies as slots": 8,
        "that is below 10 %": smallest_tier(0.1),
    }


MODEL, SLOTS, PROMPT_TOKENS = "Qwen2.5-7B", 64, 1_000


@cache
def cold_ttft_ms(**changes: float) -> float:
    """Return the TTFT in ms of a request alone, its adapter on disk.

    At the fitted cost of SLOTS slots of rank 16, with changes to it.
    """
    workload = make_workload([0.0], [0], PROMPT_TOKENS, 8)
    cost = fitted_cost(SLOTS, 16, MODEL, False, **changes)
    run = serve(workload, engine_limits(SLOTS), cost)
    return float(run.ttft_ns[0]) / NS_PER_MS


def _cold_slips():
    warm = cold_ttft_ms(slot_load_ms=0, disk_load_ms=0)
    plain_ms = step_terms(MODEL).step_ms
    return {
        "that is a warm start: its adapter has to be read and copied": warm,
        "a copy into the slot follows the read of the disk":
            cold_ttft_ms(slot_load_ms=0),
        "the copy alone: before it the disk is read":
            cold_ttft_ms(disk_load_ms=0),
        "LoRA makes the step longer: by its slots, and by the adapter in it":
            cold_ttft_ms(step_ms=plain_ms, adapter_ms=0),
        "the prompt's tokens are missing": cold_ttft_ms(prompt_token_ms=0),
        "the API server adds its part to each first token":
            cold_ttft_ms(api_ms=0),
    }  # fmt: skip


EXERCISES = [
    Exercise("loads_of_step", "The loads of a walk", 2, 15, Function(
        loads_of_step, _step_cases,
        "vLLM's walk, one adapter after the other", LOAD_SLIPS)),
    Exercise("walk_order", "The order that avoids it", 1, 6, walk_order),
    Exercise("two_salts", "Two engines, one log", 1, 5),
    Exercise("cpu_tier", "A CPU tier, in seconds", 2, 10, Number(
        smallest_tier, "{} copies in host memory keep loading below 5 %",
        _tier_slips)),
    Exercise("cold_ttft", "The parts of a cold start", 2, 10, Number(
        cold_ttft_ms, "{} ms, as the simulated engine has it",
        _cold_slips, within=5e-4)),
]  # fmt: skip
