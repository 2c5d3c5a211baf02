"""Legends shown again: only where they would look the same."""

import pytest

from multilora.figures import kept, style
from scenes import PLAIN, draw_line, draw_scene, require_same, stills_of

LINE = {"color": "C0", "lw": 2, "ls": "-", "marker": "o", "ms": 4,
        "mfc": "C2", "mec": "C3", "mew": 1, "fillstyle": "left", "mfcalt": "w",
        "label": "a"}  # fmt: skip
DASHED = LINE | {"ls": "--", "gapcolor": "C4", "marker": ""}


@pytest.mark.parametrize("base", [LINE, DASHED], ids=["solid", "dashed"])
def test_a_legend_follows_its_lines(base):
    """One change at a time of all that it shows of a line."""
    changes = [
        {"color": "C1"}, {"lw": 3}, {"ls": "-."}, {"ls": (0, (4, 2))},
        {"ls": ""},
        {"marker": "s"}, {"ms": 5}, {"mfc": "C1"}, {"mec": "C1"}, {"mew": 2},
        {"fillstyle": "right"}, {"mfcalt": "C1"}, {"alpha": 0.5},
        {"gapcolor": "C1"}, {"visible": False}, {"dash_capstyle": "round"},
        {"dash_joinstyle": "bevel"}, {"solid_capstyle": "round"},
        {"solid_joinstyle": "bevel"}, {"label": "b"},
    ]  # fmt: skip
    asked = [PLAIN | {"lines": [base | change]} for change in changes]
    require_same(draw_scene, [PLAIN | {"lines": [base]}, *asked])


def test_a_legend_that_gives_way_to_data_is_not_kept():
    def draw(fig, low):
        (axes,) = style.panels(fig, {"xlim": (0, 1), "ylim": (0, 1)})
        axes.plot([0, 0.5, 0.5, 1], [low, low, 1 - low, 1 - low], label="a")
        style.legend(axes)
        style.legend(axes, loc="best")
        return "A step."

    require_same(draw, [{"low": low} for low in (0.9, 0.1, 0.9)])


def test_lines_of_unknown_looks_have_new_legends(monkeypatch):
    monkeypatch.setattr(kept, "_LOOKS", ["path"])
    figure = require_same(draw_line, [{"at": 1}, {"at": 2}, {"at": 1}])
    assert not any(hasattr(axes, "kept_legends") for axes in figure.axes)


def test_few_texts_and_legends_are_kept(monkeypatch):
    def draw(fig, at):
        (axes,) = style.panels(fig, {"xlim": (0, 9)})
        for _ in range(at):
            axes.plot([0, at], label=f"{at}")
        style.legend_above(axes)
        return "Lines."

    monkeypatch.setattr(kept, "MAX_KEPT", 3)
    figure = require_same(draw, [{"at": at} for at in (1, 2, 3, 4, 5, 6, 5)])
    assert 0 < len(figure.axes[0].kept_legends) <= 3
    assert all(0 < len(s.written) <= 3 for s in stills_of(figure))
