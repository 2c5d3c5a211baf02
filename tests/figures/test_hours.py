"""Pictures of the real hours: their tables and their sentences."""

import pytest

from multilora.evidence.hours_recorded import hours_table, ladder_table
from multilora.figures import hours as pictures
from multilora.figures.style import new_figure, render_svg
from multilora.published import published

ROWS = published("hours")["rows"]


@pytest.mark.parametrize("part", pictures.PARTS)
def test_the_p99_table_is_a_loop_over_the_rows(part):
    table = pictures.p99_table(part)
    mine = [row for row in ROWS if part in row]
    place = 0
    for row in mine:
        measured, simulated = row[9], row[13]
        assert table["measured_s"][place] == measured / 1000
        assert table["simulated_s"][place] == simulated / 1000
        assert table["is_calm"][place] == (measured < 60_000)
        within = measured / 2 < simulated < measured * 2
        assert table["is_within_2"][place] == within
        place += 1
    assert place == len(table["measured_s"])


def test_the_p99_picture_shows_each_hour_and_counts_them():
    said = pictures.draw_p99(new_figure())
    for part in pictures.PARTS:
        table = pictures.p99_table(part)
        calm = table["is_within_2"][table["is_calm"]]
        assert f"{part}, {calm.sum()} of {len(calm)} calm hours" in said
    low, high = pictures.RANGE_S
    table = hours_table()
    for name in ("p99_ms", "simulated_p99_ms"):
        assert low < table[name].min() / 1000
        assert table[name].max() / 1000 < high


@pytest.mark.parametrize("model", pictures.MODELS)
def test_a_ladder_says_the_hour_at_its_slots(model):
    table = ladder_table(model, pictures.NUM_ADAPTERS, pictures.RANK)
    slots = table["max_loras"].tolist()
    for max_loras in pictures.SLOTS:
        said = pictures.draw_ladder(new_figure(), model, max_loras)
        assert f"{model}, 320 adapters of rank 16, {max_loras} slots" in said
        if max_loras not in slots:
            assert f"no such hour; its largest has {slots[-1]} slots" in said
            continue
        at = slots.index(max_loras)
        assert f"p99 {table['p99_ms'][at] / 1000:,.0f} s measured" in said
        assert f"{table['tpot_ms'][at]:.0f} ms measured" in said
        assert f"KV for {table['kv_tokens'][at]:,} tokens" in said
    assert set(slots) <= set(pictures.SLOTS)


def test_a_ladder_keeps_its_axes_and_its_lines_lie_within():
    figure = new_figure()
    limits = []
    for model in pictures.MODELS:
        for max_loras in (pictures.SLOTS[0], pictures.SLOTS[-1]):
            render_svg(pictures.draw_ladder,
                       {"model": model, "max_loras": max_loras},
                       figure)  # fmt: skip
            limits.append([
                (axes.get_xlim(), axes.get_ylim()) for axes in figure.axes
            ])  # fmt: skip
            for axes in figure.axes:
                low, high = axes.get_ylim()
                for line in axes.get_lines()[:-1]:
                    values = line.get_ydata()
                    assert low < min(values) and max(values) < high
    assert all(limit == limits[0] for limit in limits)


def test_the_longest_ladder_is_worse_at_its_end_than_in_the_middle():
    """What the chapter says, measured and simulated."""
    for model in pictures.MODELS:
        table = ladder_table(model, pictures.NUM_ADAPTERS, pictures.RANK)
        for name in ("p99_ms", "simulated_p99_ms"):
            best = int(table[name].argmin())
            assert table["max_loras"][best] == 64
            assert table[name][-1] > 1.2 * table[name][best]


@pytest.mark.parametrize("wrong", [0, 321, 1.5, None])
def test_other_slot_counts_are_named(wrong):
    with pytest.raises((ValueError, TypeError), match="max_loras is"):
        pictures.draw_ladder(new_figure(), "Qwen2.5-7B", wrong)
