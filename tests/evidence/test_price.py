"""The price of LoRA follows from the two numbers that each source has."""

import pytest

from multilora.evidence.price import (
    ADDED,
    KINDS,
    LOST,
    lora_prices,
    price_range,
)
from multilora.published import published
from repository import ROOT


def test_each_row_has_base_and_lora_from_one_place():
    for row in published("lora_price")["rows"]:
        assert row["url"].startswith("https://")
        assert row["base"] > 0 and len(row["lora"]) == 2
        low, high = row["lora"]
        assert low <= high


@pytest.mark.parametrize(
    ("row", "kind", "low", "high"),
    [
        ("M01", ADDED, 0.126, 0.126),
        ("M02", ADDED, 0.270, 0.270),
        ("M04", LOST, 0.396, 0.396),
        ("M05", ADDED, 0.113, 0.113),
        ("M07", LOST, 0.440, 0.440),
        ("M12", LOST, 0.108, 0.142),
        ("M14", LOST, 0.21, 0.26),
    ],
)
def test_prices_are_those_that_the_sources_state(row, kind, low, high):
    (found,) = (price for price in lora_prices() if price.row == row)
    assert found.kind == kind
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-4)


def test_a_range_holds_every_row_of_its_kind():
    for kind in KINDS:
        low, high = price_range(kind)
        mine = [price for price in lora_prices() if price.kind == kind]
        assert all(low <= one.low <= one.high <= high for one in mine)
        assert low in [one.low for one in mine]
        assert high in [one.high for one in mine]


def test_the_operators_page_shows_each_row_with_its_source():
    text = (ROOT / "notebooks" / "operators.ipynb").read_text("utf-8")
    for price in lora_prices():
        assert price.url in text
        assert f"{100 * price.low:.1f} %" in text
        assert f"{100 * price.high:.1f} %" in text
