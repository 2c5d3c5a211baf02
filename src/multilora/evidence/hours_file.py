"""Hours of real engines in a CSV file: what ran, and what was measured."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilora.arguments import shown
from multilora.models.shipped import model_names
from multilora.traffic.columns import Column, read_rows

# The published files' names of models, and ours.
MODELS = {
    "llama-3.1-8b-instruct": "Llama-3.1-8B",
    "qwen-2.5-7b-instruct": "Qwen2.5-7B",
}
NUMBERS = (
    Column("slots", 1, 10_000),
    Column("adapters", 1, 100_000),
    Column("rank", 1, 4096),
    Column("ok", 1, 10**8),
    Column("dur", 1, 10**6, False),
    Column("in_tok", 1, 10**12),
    Column("out_tok", 1, 10**12),
    Column("ttft_p50", 0, 10**9, False),
    Column("ttft_p99", 0, 10**9, False),
    Column("tpot_mean", 0, 10**9, False),
)
# Used by the fit alone; a file need not have them.
OPTIONAL = (
    Column("mean_kv_usage", 0, 1.01, False),
    Column("mean_running", 0, 10**6, False),
)
MAX_CLASSES = 100
MAX_REQUESTS = 10**7


class Hour(NamedTuple):
    """One run: model, engine, adapters by rate, and what it measured.

    rates and counts: so many adapters asked so often a second. Times are in
    ms; mean_prompt and mean_output are tokens of the requests that were
    done, num_done of them in `seconds`. kv_share and num_running are means
    over the run.
    """

    model: str
    max_loras: int
    max_lora_rank: int
    rates: tuple[float, ...]
    counts: tuple[int, ...]
    seconds: float
    num_done: int
    mean_prompt: float
    mean_output: float
    p50_ms: float
    p99_ms: float
    tpot_ms: float
    kv_share: float
    num_running: float

    @property
    def num_adapters(self) -> int:
        return sum(self.counts)

    @property
    def num_asked_per_s(self) -> float:
        """Requests a second that all adapters ask for together."""
        return float(np.dot(self.rates, self.counts))

    @property
    def rates_of_adapters(self) -> np.ndarray:
        """Requests a second of each adapter."""
        return np.repeat(self.rates, self.counts)


def check_hour(hour: object) -> Hour:
    """Return an Hour as it is; raise TypeError for anything else."""
    if not isinstance(hour, Hour):
        raise TypeError(f"hour is {shown(hour)}, but must be an Hour")
    return hour


def read_hours(path: str | Path) -> list[Hour]:
    """Return the Hours of a CSV file, in order; other columns are ignored.

    Columns: model, slots, adapters, rank, rates and counts (numbers with
    spaces between), ok, dur (s), in_tok, out_tok, ttft_p50, ttft_p99 and
    tpot_mean (ms); where the file has them, mean_kv_usage (a share) and
    mean_running, else NaN. Raises ValueError, with file and line, for a
    column that is missing, a number out of range, a model that the book does
    not ship, or counts that are not the adapters; TypeError for a path that
    is none.
    """
    rows = read_rows(path)
    where, head = next(rows)
    wanted = ["model", "rates", "counts", *(c.name for c in NUMBERS)]
    missing = [name for name in wanted if name not in head]
    if missing:
        raise ValueError(
            f"{where} lacks the columns {', '.join(missing)}; it must name "
            f"{', '.join(wanted)}"
        )
    return [
        _hour(where, dict(zip(head, row, strict=True))) for where, row in rows
    ]


def _hour(where, row):
    model = MODELS.get(row["model"], row["model"])
    if model not in model_names():
        raise ValueError(
            f"{where}: model is {shown(row['model'])}, but must be one of "
            f"{', '.join([*MODELS, *model_names()])}"
        )
    at = {c.name: c.checked(where, row[c.name]) for c in NUMBERS}
    rates = _list(where, Column("rates", 1e-9, 10**6, False), row)
    counts = _list(where, Column("counts", 0, 100_000), row)
    if len(rates) != len(counts) or sum(counts) != at["adapters"]:
        raise ValueError(
            f"{where}: counts is {shown(row['counts'])} for rates "
            f"{shown(row['rates'])}, but must be one a rate and sum up to "
            f"adapters = {at['adapters']:.0f}"
        )
    if np.dot(rates, counts) * at["dur"] > MAX_REQUESTS:
        raise ValueError(
            f"{where}: rates and dur ask for more than {MAX_REQUESTS:,} "
            "requests in one run"
        )
    return Hour(
        model,
        int(at["slots"]),
        int(at["rank"]),
        tuple(rates),
        tuple(int(count) for count in counts),
        at["dur"],
        int(at["ok"]),
        max(1.0, at["in_tok"] / at["ok"]),
        max(1.0, at["out_tok"] / at["ok"]),
        at["ttft_p50"],
        at["ttft_p99"],
        at["tpot_mean"],
        *(_optional(where, column, row) for column in OPTIONAL),
    )


def _optional(where, column, row):
    if column.name not in row:
        return np.nan
    return column.checked(where, row[column.name])


def _list(where, column, row):
    texts = row[column.name].split()
    if not 1 <= len(texts) <= MAX_CLASSES:
        raise ValueError(
            f"{where}: {column.name} is {shown(row[column.name])}, but must "
            f"be 1 to {MAX_CLASSES} numbers with spaces between"
        )
    return [column.checked(where, text) for text in texts]
