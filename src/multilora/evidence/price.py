"""The price of LoRA: engines that were measured with it and without."""

from typing import NamedTuple

from multilora.arguments import choice
from multilora.published import shared

ADDED = "time added"
LOST = "tokens/s lost"
KINDS = (LOST, ADDED)


class Price(NamedTuple):
    """What LoRA cost one published engine, as fractions of its base.

    kind is LOST, a share of the base's tokens/s, or ADDED, time on top of
    the base's. low and high differ where the source has several numbers. The
    two kinds do not compare: 50 % of the tokens/s lost is 100 % time added.
    """

    row: str
    kind: str
    low: float
    high: float
    metric: str
    engine: str
    model: str
    gpu: str
    setup: str
    url: str


def lora_prices() -> list[Price]:
    """Return the published Prices, computed from the two measured numbers.

    Each row has base and LoRA from one place (data/lora_price.json).
    """
    return [_price(row) for row in shared("lora_price")["rows"]]


def price_range(kind: str) -> tuple[float, float]:
    """Return the lowest and the highest published price of a kind.

    Fractions, see Price. Raises ValueError for a kind that is not in KINDS.
    """
    kind = choice("kind", kind, KINDS)
    found = [price for price in lora_prices() if price.kind == kind]
    return min(p.low for p in found), max(p.high for p in found)


def _price(row):
    ratios = [lora / row["base"] for lora in row["lora"]]
    is_time = row["unit"] == "ms"
    prices = [ratio - 1 if is_time else 1 - ratio for ratio in ratios]
    about = (row[name] for name in Price._fields[4:])
    kind = ADDED if is_time else LOST
    return Price(row["id"], kind, min(prices), max(prices), *about)
