"""Quality against rank, as trained: data/ladder.json, averaged over seeds."""

import json
from importlib.resources import files
from statistics import mean
from typing import TypedDict

from multilora.arguments import choice


class Rung(TypedDict):
    """The adapters of one rank: quality over seeds, and a file's bytes."""

    rank: int
    mean: float
    lowest: float
    highest: float
    file_bytes: int


def ladder_record() -> dict:
    """Return data/ladder.json: every adapter, the plan, who made it when."""
    path = files("multilora").joinpath("data/ladder.json")
    return json.loads(path.read_text("utf-8"))


def ladder_styles() -> list[str]:
    """Return the styles that were trained at every rank."""
    return sorted({row["style"] for row in ladder_record()["rows"]})


def ladder_table(style: str) -> list[Rung]:
    """Return [{rank, mean, lowest, highest, file_bytes}], ranks ascending.

    A seed's quality is the mean of its three held-out accuracies; mean,
    lowest and highest are over seeds. file_bytes is the adapter's file.
    Raises ValueError for a style that was not trained.
    """
    choice("style", style, ladder_styles())
    rows = [r for r in ladder_record()["rows"] if r["style"] == style]
    table: list[Rung] = []
    for rank in sorted({row["rank"] for row in rows}):
        seeds = [row for row in rows if row["rank"] == rank]
        quality = [mean(row["accuracies"].values()) for row in seeds]
        table.append(
            {
                "rank": rank,
                "mean": mean(quality),
                "lowest": min(quality),
                "highest": max(quality),
                "file_bytes": seeds[0]["file_bytes"],
            }
        )
    return table
