"""Where the lines of two designs cross."""

import pytest

from multilora.figures import style
from multilora.figures.crossovers import (
    crossing,
    crossovers_table,
    draw_crossovers,
)
from multilora.published import published


def test_a_crossing_lies_where_the_cheaper_design_changes():
    table = {"rows": [1, 4, 16], "late": [4.0, 2.0, 1.0], "early": [2.0] * 3}
    assert crossing(table, "late", "early") == pytest.approx(4)
    table["late"] = [8.0, 4.0, 1.0]
    assert crossing(table, "late", "early") == pytest.approx(8)
    assert crossing(table, "early", "late") is None
    assert crossing(table | {"late": [3.0] * 3}, "late", "early") is None


def test_the_stored_crossovers_are_whole_and_hold_lines_to_their_formulas():
    """Each point was measured at both widths, with every design."""
    rows = published("benchmarks")["crossovers"]
    points = {(row["width"], row["rows"], row["num_adapters"]) for row in rows}
    assert len(points) == len(rows)
    assert {point[1:] for point in points if point[0] == 512} == {
        point[1:] for point in points if point[0] == 4096
    }
    table = crossovers_table(4096, 16)
    assert table["flop_share"] == 100 * 2 * 16 / 4096
    assert table["mask_share"] == 12.5
    assert table["rows"] == [16, 64, 256]
    point = {"width": 4096, "rows": 64, "num_adapters": 16}
    (at,) = (row for row in rows if point.items() <= row.items())
    assert table["grouped"][1] == pytest.approx(100 * (at["unsorted"] - 1))
    assert all(0.9 < row["base again"] < 1.1 for row in rows)


def test_a_width_that_was_not_measured_is_refused():
    with pytest.raises(ValueError, match="width is 513, allowed: 512, 4096"):
        crossovers_table(513, 1)
    with pytest.raises(ValueError, match="num_adapters is 3"):
        crossovers_table(512, 3)


def test_the_picture_says_where_the_lines_cross():
    say = draw_crossovers(style.new_figure(), 4096, 1)
    assert say.startswith("Width 4096, 1 adapter: grouping beats the row loop")
    rows = crossing(crossovers_table(4096, 16), "grouped", "row loop")
    say = draw_crossovers(style.new_figure(), 4096, 16)
    assert f"about {rows / 16:.1f} rows per adapter" in say
