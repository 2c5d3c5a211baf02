"""A redrawn figure keeps its axes and drops its data."""

from multilora.figures import lab03
from multilora.figures.style import new_figure, panels, render_svg


def test_a_redrawn_frame_is_the_frame_drawn_afresh():
    figure = new_figure()
    stops = [
        {"tenants": t, "max_loras": m} for t in (10, 200) for m in (1, 32)
    ]
    for values in [*stops, *reversed(stops)]:
        kept = render_svg(lab03.draw_savings, values, figure)
        assert kept == render_svg(lab03.draw_savings, values)


def test_panels_keep_axes_and_drop_data():
    figure = new_figure()
    setting = {"title": "t", "xlim": (0, 1)}
    (first,) = panels(figure, setting)
    first.plot([0, 1], [0, 1], label="data")
    first.legend()
    (second,) = panels(figure, setting)
    assert second is first
    assert not first.lines
    assert first.get_legend() is None
    first.bar([0], [1], label="bar")
    (again,) = panels(figure, setting)
    assert again.get_legend_handles_labels() == ([], [])
    (other,) = panels(figure, setting | {"xlim": (0, 2)})
    assert other is not first
