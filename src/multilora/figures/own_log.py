"""The log behind a reader's own sliders, and engines that played it."""

from functools import cache, lru_cache

import numpy as np

from multilora.logs.read import example_log_path, read_log
from multilora.models.shipped import model_shape
from multilora.plan.case import Tenants, make_case
from multilora.plan.costs import fitted_costs
from multilora.plan.played import Dials, World, play
from multilora.plan.stretch import busiest
from multilora.plan.tenants import outcome_of
from multilora.serving.logged import log_workload
from multilora.serving.workload import Workload

NUM_REQUESTS = 2_000  # what is played while a slider is held
_used = []  # what use() was given last


def use(log):
    """Draw this Log from now on, until the kernel ends, not the example.

    An explorer keeps what it has drawn, so call this before explore. Raises
    ValueError for a Log that names no tenant.
    """
    log_workload(log)
    if not log.tenants:
        raise ValueError("log names no tenant, so there is nothing to plan")
    _used[:] = [log]
    case_of.cache_clear()
    served_by.cache_clear()


def used_log():
    """Return the Log behind the drawing."""
    return _used[0] if _used else _example()


@cache
def _example():
    return read_log(example_log_path())


def tenant_stops():
    """Return two numbers of the log's tenants, busiest first: 1/4, all."""
    num = len(used_log().tenants)
    return sorted({-(-num // 4), num})


@lru_cache(maxsize=64)
def case_of(model, card_gib, max_lora_rank, tenants):
    """Return the Case of the log's busiest tenants, in its busiest minutes.

    Those are the NUM_REQUESTS in a row, of all tenants, that came in the
    shortest time; requests of the base stay. max_model_len is what the whole
    log asks for. Raises ValueError as make_case does.
    """
    log, shape = used_log(), model_shape(model)
    case = make_case(
        model, shape, card_gib, log_workload(log), fitted_costs(shape),
        names=log.tenants, ranks=[max_lora_rank],
    )  # fmt: skip
    stretch = busiest(case.workload, NUM_REQUESTS)
    stays = stretch.adapter_ids < tenants
    columns = [column[stays] for column in stretch[:-1]]
    return case._replace(
        tenants=Tenants(*(row[:tenants] for row in case.tenants)),
        workload=Workload(*columns, tenants),
    )


@lru_cache(maxsize=256)
def served_by(model, card_gib, max_lora_rank, max_loras, tenants):
    """Return the engine that was played, or None where it may not start.

    All dials but max_loras are as vLLM's server has them.
    """
    case = case_of(model, card_gib, max_lora_rank, tenants)
    played = play(case, [range(tenants)], dials_of(case, max_loras))
    return played[0] if played else None


def dials_of(case, max_loras):
    """Return the Dials of so many slots, the others as the server has them."""
    return Dials(max_loras, *case.settings.batch(case.max_model_len))


def slot_counts(max_loras, tenants):
    """Return max_loras, half and twice of it, none above the tenants."""
    wanted = {max(1, max_loras // 2), max_loras, 2 * max_loras}
    return sorted({min(tenants, num) for num in wanted})


def active_tenants(run, num_moments=400):
    """Return how many tenants have a request in the engine, over time.

    At num_moments even moments from the first arrival to the last; requests
    of the base count as one tenant more.
    """
    came, ids = run.workload.arrival_ns, run.workload.adapter_ids
    moments = np.linspace(came[0], came[-1], num_moments)
    return np.array([
        len(np.unique(ids[(came <= now) & (now < run.trace.finished)]))
        for now in moments
    ])  # fmt: skip


def share_in_time(model, card_gib, max_lora_rank, max_loras, slo):
    """Return the share of all tenants in time, None where none may start."""
    num = len(used_log().tenants)
    engine = served_by(model, card_gib, max_lora_rank, max_loras, num)
    return outcome_of([engine], slo).share if engine else None


def outcome_at(case, dials, slower=1.0):
    """Return the Outcome of one engine with all tenants of a Case, or None.

    Every step takes `slower` times as long as the case says.
    """
    tenants = range(len(case.tenants.names))
    engines = play(case, [tenants], dials, World(slower=slower))
    return outcome_of(engines, case.slo) if engines else None
