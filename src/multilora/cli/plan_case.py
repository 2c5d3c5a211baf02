"""The options of `multilora plan` into a Case."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from multilora.adapters.check import AdapterError
from multilora.adapters.folders import adapter_folders, rank_in
from multilora.arguments import choice, finite_number, shown
from multilora.logs.read import Log
from multilora.logs.tally import skipped_notes
from multilora.memory.cards import card_gib
from multilora.models.named import served_name, shape_named
from multilora.plan.answer import Slo
from multilora.plan.by_name import DEFAULT_RANK, Adapter, with_adapters
from multilora.plan.case import Case, make_case
from multilora.plan.costs import Costs, fitted_costs, measured_costs
from multilora.plan.drawn import drawn_workload
from multilora.serving.calibration import read_calibration
from multilora.serving.logged import log_workload
from multilora.serving.terms import fitted_models
from multilora.serving.workload import Workload

_RANKS = re.compile(r"\s*(\d{1,5})\s*(?:x\s*(\d{1,7}))?\s*")


def adapters_in(folder: Path | None) -> dict[str, Adapter]:
    """Return {name: Adapter} of a folder of PEFT folders; {} for None.

    Raises ValueError, naming it, for one whose config cannot be read.
    """
    found = {}
    for path in adapter_folders(folder) if folder else ():
        try:
            rank = rank_in(path)
        except AdapterError as error:
            raise ValueError(
                f"--adapters {folder}: {error}. `multilora check {folder} "
                "--base …` lists all that are wrong"
            ) from None
        found[path.name] = Adapter(path.name, rank, str(path.resolve()))
    return found


def ranks_of(text: str | None, num_tenants: int) -> list[int]:
    """Return a rank for each tenant from "16", "16x36,64x4" or "16,8,64".

    Raises ValueError for another form or another number of ranks.
    """
    if text is None:
        return [DEFAULT_RANK] * num_tenants
    ranks: list[int] = []
    for part in text.split(","):
        match = _RANKS.fullmatch(part)
        if not match or int(match[2] or 1) > num_tenants:
            raise ValueError(
                f"--ranks is {shown(text)}, but must be one rank for all, as "
                "16, or ranks and how many tenants have each, such as "
                f"16x36,64x4, for {num_tenants} tenants in all"
            )
        ranks += [int(match[1])] * int(match[2] or 1)
    if len(ranks) == 1:
        ranks *= num_tenants
    if len(ranks) != num_tenants:
        raise ValueError(
            f"--ranks is {shown(text)}, {len(ranks)} ranks, but there are "
            f"{num_tenants} tenants"
        )
    return ranks


def costs_of(
    shape: Any, size: int, calibration: Path | None, cost_of: str | None,
    slower: float,
) -> Costs:  # fmt: skip
    """Return the Costs that the options name."""
    if calibration is not None and cost_of is not None:
        raise ValueError("--calibration and --cost-of exclude each other")
    if cost_of is not None:
        choice("--cost-of", cost_of, fitted_models())
    if calibration is not None:
        costs = measured_costs(read_calibration(calibration))
    else:
        costs = fitted_costs(shape, size, cost_of)
    if finite_number("--slower", slower, 1e-3, 1e3) == 1:
        return costs
    said = f"{costs.said}; each time {slower:g} times as long (--slower)"
    return costs.slower(slower)._replace(said=said)


class Asked(NamedTuple):
    """A Case, and what its reader must know of how it was read."""

    case: Case
    notes: tuple[str, ...]


def asked(
    model: str, card: str, log: Log | None, drawn: Mapping[str, Any],
    adapters: Path | None, ranks: str | None, slo: Slo, costs: Mapping,
    config_json: Path | None, host_gib: float | None, options: Mapping,
) -> Asked:  # fmt: skip
    """Return what was asked, from a log or from traffic that is drawn."""
    shape, origin = shape_named(model, config_json)
    gib, taken = card_gib(card)
    found = adapters_in(adapters)
    notes = [f"--card {card}: {taken}", origin]
    workload, names = _traffic(log, drawn, found)
    given = ranks_of(ranks, len(names))
    each_rank, folders, more = with_adapters(names, found, given)
    size = options.get("tensor_parallel_size", 1)
    case = make_case(
        served_name(model), shape, gib, workload,
        costs_of(shape, size, **costs),
        names=names, ranks=each_rank, folders=folders, slo=slo,
        host_gib=host_gib, **options,
    )  # fmt: skip
    notes += [*more, *(log.notes if log else ())]
    notes += skipped_notes(log.skipped) if log else []
    return Asked(case, tuple(notes))


def _traffic(log, drawn, found) -> tuple[Workload, Sequence[str]]:
    if log is not None:
        return log_workload(log), log.tenants
    num = drawn["num_tenants"]
    if num is None:
        num = len(found)
    if not num:
        raise ValueError(
            "there is no traffic: give a LOG, or --tenants and --rate, or "
            "--example for the log that comes along"
        )
    load = drawn_workload(**{**drawn, "num_tenants": num})
    if found and len(found) == num:
        return load, sorted(found)
    return load, [f"tenant-{number}" for number in range(num)]
