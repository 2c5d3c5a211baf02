"""Sentences on what a reader of a plan must know."""

from collections.abc import Sequence

import numpy as np

from multilora.matmul.operands import BASE
from multilora.plan.case import Case
from multilora.plan.played import Served
from multilora.plan.search import Tried
from multilora.published import shared
from multilora.units import percent

FEW_REQUESTS = 100  # below it a p99 is about the slowest request
# The fit's GPU has 64 GB; a card of less than half is of another class.
SMALL_CARD_GIB = 32


def notes_of(
    case: Case,
    searched: Case,
    chosen: Tried,
    engines: Sequence[Served],
    tenants: Sequence[int] = (),
    least_slots: int | None = None,
) -> tuple[str, ...]:
    """Return the notes of a plan, each one sentence or two.

    tenants are those for whom the SLO is out of reach, least_slots is the
    smallest max_loras that was tried and keeps it.
    """
    rules = (
        _on_reach(case, tenants),
        None if tenants else _on_engines(case, chosen),
        _on_slots(engines),
        _on_least(least_slots),
        _on_evidence(case),
        _on_ranks(case, engines),
        _on_card(case),
        _on_length(case),
        _on_stretch(case, searched, chosen),
        _on_few(case),
        _on_base(case, engines),
    )
    return tuple(note for note in rules if note)


def _on_reach(case, tenants):
    if not tenants:
        return None
    return (
        f"the promise is out of reach for {len(tenants)} of "
        f"{case.num_asking} tenants, such as "
        f"{case.tenants.names[tenants[0]]}: their p99 is above it even alone "
        "on an engine. Shorter prompts, fewer at once, a faster GPU or "
        "another promise help; more engines do not"
    )


def _on_engines(case, chosen):
    if chosen.outcome is None or chosen.outcome.share >= case.slo.share:
        return None
    return (
        "no setting that was tried meets the SLO; this is the one with which "
        "most tenants do"
    )


def _on_slots(engines):
    if all(e.setting.max_loras >= len(e.tenants) for e in engines):
        return "every tenant has a slot, so no request waits for one"
    return None


def _on_least(least_slots):
    if least_slots is None:
        return None
    return (
        f"of the values tried, max_loras={least_slots} is the smallest that "
        "keeps the promise"
    )


def _on_evidence(case):
    if case.costs.terms is None:
        return None
    score = shared("hours")["scores"]["validation"]
    return (
        f"how far off such a p99 is: on {score['num_calm']} calm hours of "
        f"real engines that the fit had not seen, half of the simulated p99 "
        f"were within {score['p99']:.2f} times the measured one, "
        f"{percent(score['p99_within_2'], 0)} within 2 times"
    )


def _on_ranks(case, engines):
    widest = max(e.setting.max_lora_rank for e in engines)
    ranks = np.array(case.tenants.ranks)
    num = int((np.array(case.slot_ranks) == widest).sum())
    usual = int(np.median(case.slot_ranks))
    if widest < 2 * usual or num == len(ranks):
        return None
    return (
        f"{num} of {len(ranks)} tenants need max_lora_rank={widest}, which "
        f"makes each slot of their engine {widest / usual:g} times as large "
        f"as rank {usual} would: ask them for a lower rank"
    )


def _on_card(case):
    if case.costs.terms is None or case.card_gib >= SMALL_CARD_GIB:
        return None
    return (
        f"the times are those of a GPU of the H100 class; one of "
        f"{case.card_gib:g} GiB is slower: calibrate, or give --slower"
    )


def _on_length(case):
    if case.options.get("max_model_len") is not None:
        return None
    load = case.workload
    longest = int((load.prompt_tokens + load.output_tokens).max())
    return (
        f"--max-model-len {case.max_model_len} was chosen because the "
        f"longest request has {longest:,} tokens"
    )


def _on_stretch(case, searched, chosen):
    few, every = searched.workload.num_requests, case.workload.num_requests
    if few == every or chosen.outcome is None:
        return None
    start = searched.workload.arrival_ns[0] - case.workload.arrival_ns[0]
    return (
        f"settings were searched on the busiest {few:,} requests in a row, "
        f"from {start / 3.6e12:,.1f} h on and {searched.seconds / 60:,.0f} "
        f"minutes long, where the p99 is {chosen.outcome.p99_ms:,.0f} ms"
    )


def _on_few(case):
    ids = case.workload.adapter_ids.astype(np.intp)
    counts = np.bincount(ids[ids != BASE], minlength=len(case.tenants.names))
    num = int(((counts > 0) & (counts < FEW_REQUESTS)).sum())
    if not num:
        return None
    return (
        f"{num} of {len(counts)} tenants sent fewer than {FEW_REQUESTS} "
        "requests: their p99 is about their slowest request"
    )


def _on_base(case, engines):
    num = int((case.workload.adapter_ids == BASE).sum())
    if not num:
        return None
    spread = ", in turn on each engine" if len(engines) > 1 else ""
    return f"{num:,} requests are of the base itself{spread}"
