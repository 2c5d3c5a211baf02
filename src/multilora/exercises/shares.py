"""Part 2, last third: the price in compute, and a rank within the noise."""

import math
from functools import cache

import numpy as np

from multilora.adapters.file import adapter_params
from multilora.evidence.ladder import ladder_table
from multilora.exercises.answers import Function, Number
from multilora.exercises.sizes import MODELS
from multilora.exercises.task import Exercise
from multilora.memory.economics import (
    base_flops_per_token,
    delta_flops_per_token,
)
from multilora.models.shapes import ATTENTION, ModelShape
from multilora.models.shipped import model_shape


def delta_share(shape: ModelShape, rank: int) -> float:
    """Return an all-linear delta's share of the base's FLOPs."""
    return delta_flops_per_token(shape, rank) / base_flops_per_token(shape)


def _share_cases():
    rng = np.random.default_rng(6)
    pairs = [("Llama-2-7B", 16), ("Llama-3.1-8B", 64)]
    pairs += [(name, int(rng.integers(1, 200))) for name in MODELS]
    return [(model_shape(name), rank) for name, rank in pairs]


def _attention_share(shape, rank):
    flops = delta_flops_per_token(shape, rank, ATTENTION)
    return flops / base_flops_per_token(shape)


SHARE_SLIPS = [
    ("that is in per cent; a share lies between 0 and 1",
     lambda shape, rank: 100 * delta_share(shape, rank)),
    ("2r/D is one square matrix, not a whole model",
     lambda shape, rank: 2 * rank / shape.hidden_size),
    ("num_params counts tables that are looked up, not multiplied",
     lambda shape, rank: adapter_params(shape, rank, "all-linear")
     / shape.num_params),
    ("all-linear has the MLP too, not attention alone", _attention_share),
    ("a multiply and an add on both sides, or on neither",
     lambda shape, rank: 2 * delta_share(shape, rank)),
    ("a multiply and an add on both sides, or on neither",
     lambda shape, rank: delta_share(shape, rank) / 2),
]  # fmt: skip


@cache
def rank_at_share(share: float = 0.05) -> int:
    """Return the smallest rank at which the delta has this share."""
    shape = model_shape("Llama-3.1-8B")
    return next(r for r in range(1, 1000) if delta_share(shape, r) >= share)


def _rank_slips():
    shape = model_shape("Llama-3.1-8B")
    with_tables = adapter_params(shape, 1, "all-linear") / shape.num_params
    return {
        "2r/D is one square matrix, not a whole model":
            math.ceil(0.05 * shape.hidden_size / 2),
        "num_params counts tables that are looked up, not multiplied":
            int(0.05 / with_tables) + 1,
        "rounded down: there it is still below 5 %": rank_at_share() - 1,
        "that is for 0.5 %": rank_at_share(0.005),
    }  # fmt: skip


def cheapest_rank() -> int:
    """Return the smallest rank whose best seed reaches rank 32's worst."""
    table = ladder_table("sql")
    return next(r["rank"] for r in table if r["highest"] >= _worst(table))


def _worst(table):
    return table[-1]["lowest"]


def _dial_slips():
    table = ladder_table("sql")
    return {
        "that one's mean gets there; a single seed does so earlier": next(
            row["rank"] for row in table if row["mean"] >= _worst(table)
        ),
        "that has the best mean: ask who is within the noise": max(
            table, key=lambda row: row["mean"]
        )["rank"],
        "that one is still below it, even its best seed": 2,
    }


EXERCISES = [
    Exercise("delta_share", "The price in compute", 1, 8, Function(
        delta_share, _share_cases,
        "the delta's FLOPs over the base's", SHARE_SLIPS)),
    Exercise("rank_at_share", "The rank that costs 5 %", 1, 6, Number(
        rank_at_share, "rank {} is the first at 5 % of the FLOPs",
        _rank_slips)),
    Exercise("rank_dial", "Within the noise", 1, 6, Number(
        cheapest_rank, "at rank {} a lucky seed does what an unlucky one "
        "does at 32", _dial_slips)),
]  # fmt: skip
