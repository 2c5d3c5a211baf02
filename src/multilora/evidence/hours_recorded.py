"""The hours as recorded: what clients saw, and what the simulator says."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from typing import Any

import numpy as np

from multilora.arguments import choice, finite_number, integer, items
from multilora.evidence.hours_file import Hour, read_hours
from multilora.evidence.hours_play import OVERLOADED_MS, kv_tokens_left
from multilora.evidence.hours_score import Score
from multilora.published import shared

HOUR_HEADER = (
    "no. model       slots adapters rank  asked/s TPOT ms  p50 ms  p99 ms"
)
MISSED = (
    "model        slots adapters rank  asked/s    p99 ms  simulated  factor"
)


def example_hours() -> list[Hour]:
    """Return thirteen of the real hours, in the form of read_hours.

    Ten have a p99 below a minute, the last three are overloaded. Source:
    data/hours.json; the figures are those of data/example_hours.csv.
    """
    example = files("multilora").joinpath("data/example_hours.csv")
    with as_file(example) as path:
        return read_hours(path)


def hours_table() -> dict[str, np.ndarray]:
    """Return the columns of data/hours.json, one value an hour.

    Times are in ms, rates in requests a second; part is "fitted" or
    "validation".
    """
    record = shared("hours")
    columns = zip(*record["rows"], strict=True)
    return {
        name: np.array(column)
        for name, column in zip(record["columns"], columns, strict=True)
    }


def score_of(part: str) -> Score:
    """Return the recorded Score of the part "fitted" or "validation"."""
    scores = shared("hours")["scores"]
    return Score(**scores[choice("part", part, scores)])


def ladder_table(
    model: str, num_adapters: int, max_lora_rank: int = 16
) -> dict[str, Any]:
    """Return the hours that differ in their slots only, by slots.

    Columns max_loras, asked_per_s (requests a second), tpot_ms, p99_ms, the
    same two simulated, and kv_tokens, what the slots leave. Where adapters
    of several rates were tried, it is the lowest. Raises ValueError where
    there are no such hours.
    """
    table = hours_table()
    model = choice("model", model, sorted(set(table["model"].tolist())))
    num_adapters = integer("num_adapters", num_adapters, minimum=1)
    max_lora_rank = integer("max_lora_rank", max_lora_rank, minimum=1)
    is_mine = (
        (table["model"] == model)
        & (table["num_adapters"] == num_adapters)
        & (table["max_lora_rank"] == max_lora_rank)
    )
    if not is_mine.any():
        raise ValueError(
            f"num_adapters is {num_adapters} and max_lora_rank is "
            f"{max_lora_rank}, but no hour of {model} has these"
        )
    is_mine &= table["asked_per_s"] == table["asked_per_s"][is_mine].min()
    rows = np.flatnonzero(is_mine)
    rows = rows[np.argsort(table["max_loras"][rows])]
    names = ("max_loras", "asked_per_s", "tpot_ms", "p99_ms",
             "simulated_tpot_ms", "simulated_p99_ms")  # fmt: skip
    ladder = {name: table[name][rows] for name in names}
    ladder["kv_tokens"] = np.array([
        kv_tokens_left(model, slots, max_lora_rank)
        for slots in ladder["max_loras"].tolist()
    ])  # fmt: skip
    return ladder


def hour_lines(hours: Sequence[Hour]) -> list[str]:
    """Return Hours as lines of text, numbered from 0, below a header."""
    return [HOUR_HEADER] + [
        f"{number:2}  {hour.model:12} {hour.max_loras:4} "
        f"{hour.num_adapters:8} {hour.max_lora_rank:4} "
        f"{hour.num_asked_per_s:8.3f} {hour.tpot_ms:7.1f} "
        f"{hour.p50_ms:7,.0f} {hour.p99_ms:7,.0f}"
        for number, hour in enumerate(items("hours", hours, Hour))
    ]


def ladder_lines(
    model: str, num_adapters: int, max_lora_rank: int = 16
) -> list[str]:
    """Return a ladder_table as lines of text; p99 in s, TPOT in ms."""
    table = ladder_table(model, num_adapters, max_lora_rank)
    names = ("max_loras", "p99_ms", "simulated_p99_ms", "tpot_ms", "kv_tokens")
    rows = zip(*(table[name].tolist() for name in names), strict=True)
    return [
        f"{slots:5} {p99_ms / 1000:8,.0f} s {told_ms / 1000:8,.0f} s "
        f"{tpot_ms:8.0f} ms {kv_tokens:9,}"
        for slots, p99_ms, told_ms, tpot_ms, kv_tokens in rows
    ]


def missed_lines(at_least: float = 2, most: int = 20) -> list[str]:
    """Return the calm hours whose p99 is simulated far off, as lines.

    Those off by more than at_least times, the furthest off first, at most
    `most` of them; the last line counts all. The factor of a line is
    simulated over measured.
    """
    at_least = finite_number("at_least", at_least, minimum=1)
    most = integer("most", most, minimum=0)
    table = hours_table()
    factor = table["simulated_p99_ms"] / table["p99_ms"]
    off = np.abs(np.log(factor))
    is_off = (table["p99_ms"] < OVERLOADED_MS) & (off > np.log(at_least))
    rows = sorted(np.flatnonzero(is_off), key=lambda row: -off[row])
    lines = [
        f"{table['model'][row]:12} {table['max_loras'][row]:5} "
        f"{table['num_adapters'][row]:8} {table['max_lora_rank'][row]:4} "
        f"{table['asked_per_s'][row]:8.1f} {table['p99_ms'][row]:9,.0f} "
        f"{table['simulated_p99_ms'][row]:10,.0f} {factor[row]:7.2f}"
        for row in rows[:most]
    ]
    num_calm = int((table["p99_ms"] < OVERLOADED_MS).sum())
    return [MISSED, *lines, f"{len(rows)} of {num_calm} calm hours"]
