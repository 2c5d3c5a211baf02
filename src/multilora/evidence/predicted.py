"""Published figures beside what our formulas predict for them."""

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from multilora import traffic
from multilora.adapters.file import explain_file_bytes
from multilora.arguments import choice, finite_number, integer, shown
from multilora.cache.cascade import count_loads
from multilora.cache.events import adapters_by_event
from multilora.cache.walks import WALKS
from multilora.memory.ledger import kv_tokens_lost
from multilora.memory.reservation import slot_reservation_bytes
from multilora.models.shipped import model_shape
from multilora.published import published
from multilora.units import GIB

_SURPRISES = ("saved in full", "too small", "prefix")


def adapter_file_table() -> list[dict]:
    """Return public adapter files with the reason for their size."""
    table = []
    for row in published("adapters")["rows"]:
        why = explain_file_bytes(
            row["file_bytes"],
            model_shape(row["model"], row.get("vocab_size")),
            row["rank"],
            row["target_modules"],
        )
        assert why, f"{row['file_bytes']} bytes, and no rule explains them"
        surprise = any(word in why for word in _SURPRISES)
        table.append(
            row
            | {
                "why": why,
                "note": row.get("note", ""),
                "is_plain": not surprise,
            }
        )
    return table


def odd_files() -> list[dict]:
    """Return the rows of adapter_file_table that hold a surprise."""
    table = adapter_file_table()
    seen: dict[int, dict] = {}
    for row in table:
        if row.get("odd") or not row["is_plain"]:
            seen.setdefault(row["file_bytes"], row)
    return list(seen.values())


def kv_loss_table() -> list[dict]:
    """Return KV tokens lost against the smallest start, log and formula."""
    table = []
    for model, rows in _starts_with_kv().items():
        first = rows[0]
        for row in rows[1:]:
            lost = first["kv_tokens"] - row["kv_tokens"]
            extra = _startup_bytes(row) - _startup_bytes(first)
            if lost > 0 and extra > 0:
                predicted = kv_tokens_lost(model_shape(model), extra)
                table.append(row | {"lost": lost, "predicted": predicted})
    return table


def _starts_with_kv():
    starts: dict[str, list[dict]] = {}
    for row in published("startups")["rows"]:
        if row["kv_tokens"]:
            starts.setdefault(row["model"], []).append(row)
    return starts


def _startup_bytes(row):
    return slot_reservation_bytes(
        model_shape(row["model"]),
        row["max_loras"],
        row["max_lora_rank"],
        vllm_version="0.8.5",
    )


def startup_table() -> dict[str, list]:
    """Return published start-ups beside what the formula predicts, GiB."""
    data = published("startups")
    rows = [row for row in data["rows"] if row["loading_gib"]]
    base = data["base_loading_gib"]
    return {
        "model": [row["model"] for row in rows],
        "predicted": [_startup_bytes(row) / GIB for row in rows],
        "measured": [row["loading_gib"] - base[row["model"]] for row in rows],
    }


# A run whose own completed requests differ by more is bound by something
# that simulate_loads does not limit: KV blocks, mostly.
SAME_LOAD, FEW_LOADS = 0.06, 50


def adapter_loads_table(
    slots: int | None = None, rate: float | None = None
) -> list[dict]:
    """Return published runs beside simulate_loads, one dict a run.

    slots and rate leave only the runs with that many slots or that rate.

    Each row holds the columns of the file, `set_order`, `ideal` and
    `residents_first` (loads of three walks over the same arrivals),
    `num_completed`, and `is_usable`:
    the model completed as many requests as the run, within 6 %, and there
    were more than 50 loads. The step time is the run's own mean ITL.
    """
    if slots is not None:
        slots = integer("slots", slots)
    if rate is not None:
        rate = finite_number("rate", rate)
    data = published("adapter_loads")
    rows = [
        dict(zip(data["columns"], row, strict=True)) for row in data["rows"]
    ]
    return [
        row | _simulated(*row.values())
        for row in rows
        if slots in (None, row["slots"]) and rate in (None, row["rate"])
    ]


@cache
def _simulated(slots, adapters, rate, completed, loads, _loading_s, itl_ms):
    data = published("adapter_loads")
    events = adapters_by_event(
        traffic.poisson(adapters, rate, data["duration_s"]),
        adapters,
        slots,
        itl_ms,
        data["output_tokens"],
        data["duration_s"],
    )
    num_completed = events[-1].num_completed
    counts = {
        walk: count_loads(events, adapters, slots, walk)[0] for walk in WALKS
    }
    return {
        "set_order": counts["one by one"],
        "ideal": counts["ideal"],
        "residents_first": counts["residents first"],
        "num_completed": num_completed,
        "is_usable": abs(num_completed / completed - 1) <= SAME_LOAD
        and loads > FEW_LOADS,
    }


def reported_run(slots: int, adapters: int, rate: float) -> dict:
    """Return one published run as a dict of its columns.

    Raises ValueError where no run has these slots, adapters and rate.
    """
    slots = integer("slots", slots)
    adapters = integer("adapters", adapters)
    rate = finite_number("rate", rate)
    data = published("adapter_loads")
    for row in data["rows"]:
        if row[:3] == [slots, adapters, rate]:
            return dict(zip(data["columns"], row, strict=True))
    raise ValueError(
        f"slots, adapters, rate are {shown((slots, adapters, rate))}, which "
        "no published run has"
    )


def load_errors(rows: Iterable[Mapping], model: str) -> np.ndarray:
    """Return |simulated / measured - 1| of the usable rows.

    model is the column of a walk: set_order, ideal or residents_first.
    """
    choice("model", model, ("set_order", "ideal", "residents_first"))
    rows = [row for row in rows if row["is_usable"]]
    return np.array([abs(row[model] / row["loads"] - 1) for row in rows])
