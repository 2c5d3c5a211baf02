"""The public trace beside the shapes: published where it says so."""

import numpy as np
import pytest

from multilora import traffic
from multilora.cache.hitrate import hit_rate_curve
from multilora.figures import public_traffic as pictures
from multilora.figures.lab04 import SHAPES
from multilora.figures.style import new_figure
from multilora.published import published
from multilora.traffic.sessions import session_arrivals

OF = published("public_traffic")["gentd26"]


def test_the_table_holds_published_rates_and_counted_ones():
    table = pictures.public_table()
    slots = table["slots"]
    assert slots.tolist() == OF["slots"]
    assert table["GenTD26"].tolist() == OF["all"]["hit_rate"]
    assert table["shuffled"].tolist() == OF["all"]["shuffled"]
    ids = session_arrivals(16_709, 874).adapter_ids
    assert (table["our sessions"] == hit_rate_curve(ids)[slots - 1]).all()
    assert (table["zipf"] == hit_rate_curve(
        traffic.zipf(16_709, 874), 874
    )[slots - 1]).all()  # fmt: skip
    assert list(table) == [
        "slots", "GenTD26", "our sessions", "shuffled", *SHAPES
    ]  # fmt: skip


def test_no_shape_is_as_near_as_our_sessions():
    table = pictures.public_table()
    slots = table.pop("slots")
    public = table.pop("GenTD26")
    apart = {
        name: np.abs(rates - public)[np.isin(slots, (4, 8, 32, 128))].max()
        for name, rates in table.items()
    }
    assert min(apart, key=apart.get) == "our sessions"
    assert apart["our sessions"] < 0.03 < 0.1 < apart["sticky"]


@pytest.mark.parametrize("max_loras", [1, 8, 256])
def test_the_sentence_has_the_rates_at_its_slots(max_loras):
    said = pictures.draw_public(new_figure(), max_loras)
    rate = OF["all"]["hit_rate"][OF["slots"].index(max_loras)]
    assert said.startswith(f"{max_loras} slots: GenTD26 hits {100 * rate:.1f}")


@pytest.mark.parametrize("wrong", [3, 0, 512, 1.5, None])
def test_other_slot_counts_are_named(wrong):
    with pytest.raises((ValueError, TypeError), match="max_loras is"):
        pictures.draw_public(new_figure(), wrong)
