"""The benchmark of a slider's move, and the draws that it times."""

from multilora.figures.style import render_svg
from slider_move import curve_move, slider_rows, thrash_move


def test_a_trace_can_be_given_to_the_hit_curve():
    draw, values = curve_move(at=0)
    svg, said = render_svg(draw, values)
    assert (svg, said) != render_svg(draw, values | {"trace": None})
    assert (svg, said) == render_svg(*curve_move(at=0))


def test_a_slider_move_costs_less_than_matplotlibs():
    """Times of the CPU; slider_move.py itself compares each picture."""
    rows = slider_rows(num_moves=5)
    assert [row["num_requests"] for row in rows] == [30_000, 20_000, 20_000, 0]
    for row in rows:
        assert row["p50_ms"] <= row["p95_ms"]
        assert row["ratio"] > 1.5, row


def test_the_thrash_explorers_moves_change_one_axis():
    _, start = thrash_move(0, "skew")
    _, moved = thrash_move(1, "skew")
    assert {axis for axis in start if start[axis] != moved[axis]} == {"skew"}
