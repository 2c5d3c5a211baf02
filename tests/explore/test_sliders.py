"""explore in a kernel's place: what it shows, moves and refuses."""

import asyncio
import json
from functools import partial

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from multilora.explore import sliders
from multilora.explore.ahead import IDLE_S
from multilora.figures import lab03
from multilora.figures.style import panels


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr(
        sliders, "display", lambda bundle, raw: bundles.append(bundle)
    )
    return bundles


def widgets_of(bundle):
    view = bundle["application/vnd.jupyter.widget-view+json"]
    *axes, picture = _instances[view["model_id"]].children
    return axes, picture


def test_explore_stores_a_picture_a_sentence_and_its_address(shown):
    sliders.explore(
        lab03.draw_savings,
        start={"tenants": 100},
        tenants=[10, 100],
        max_loras=np.array([1, 8]),
    )
    (bundle,) = shown
    page = bundle["text/html"]
    assert bundle["text/plain"].startswith("100 tenants at max_loras=8 need")
    assert bundle["text/plain"] in page
    assert 'alt="100 tenants' in page
    text = page.split('data-explore="')[1].split('"')[0]
    spec = json.loads(text.replace("&quot;", '"'))
    assert spec == {
        "draw": "multilora.figures.lab03:draw_savings",
        "axes": {"tenants": [10, 100], "max_loras": [1, 8]},
        "start": {"tenants": 100, "max_loras": 8},
    }


def test_moving_a_slider_redraws(shown):
    sliders.explore(lab03.draw_savings, tenants=[10, 100], max_loras=[1, 8])
    (tenants, max_loras), picture = widgets_of(shown[0])
    for stop, engines in ((1, 100), (8, 13)):
        tenants.value, max_loras.value = 100, stop
        assert f"need {engines} engines" in picture.value
        assert picture.value.count("<svg") == 1
    assert tenants.options == (("10 tenants", 10), ("100 tenants", 100))


def test_the_next_frame_is_drawn_before_it_is_asked_for(shown):
    drawn = []

    def draw(fig, one, two):
        panels(fig, {"title": "a"})
        drawn.append((one, two))
        return f"{one}, {two}"

    async def move():
        sliders.explore(draw, one=[1, 2, 3, 4], two=[1, 2], start={"one": 1})
        widgets_of(shown[0])[0][0].value = 2
        assert drawn == [(1, 2), (2, 2)]
        await asyncio.sleep(IDLE_S + 0.5)

    asyncio.run(move())
    assert drawn[2:] == [(3, 2), (2, 1)]


def test_show_has_no_sliders(shown):
    sliders.show(lab03.draw_startups)
    (bundle,) = shown
    assert set(bundle) == {"text/html", "text/plain"}
    assert "data-explore" not in bundle["text/html"]


def test_markup_in_a_sentence_is_escaped(shown):
    def draw(fig):
        panels(fig, {"title": "a"})
        return 'rank < 8 & "more"'

    sliders.show(draw)
    assert "rank &lt; 8 &amp; &quot;more&quot;" in shown[0]["text/html"]


@pytest.mark.parametrize(
    ("draw", "options", "error", "named"),
    [
        ("draw", {"tenants": [1]}, TypeError, "draw is 'draw'"),
        (lab03.draw_savings, {"tenants": [1]}, TypeError, "draw_savings"),
        (lab03.draw_savings, {"tenants": [1], "wrong": [1]}, TypeError,
         "draw_savings"),
        (lab03.draw_savings, {"tenants": [], "max_loras": [8]}, ValueError,
         "tenants is empty"),
        (lab03.draw_savings, {"tenants": 7, "max_loras": [8]}, TypeError,
         "tenants is 7"),
        (lab03.draw_savings, {"tenants": [[1]], "max_loras": [8]}, TypeError,
         r"tenants holds \[\[1\]\]"),
        (lab03.draw_savings, {"tenants": [1, 1], "max_loras": [8]}, ValueError,
         "holds a stop twice"),
        (lab03.draw_savings,
         {"tenants": [1], "max_loras": [8], "start": "x"}, TypeError,
         "start is 'x'"),
        (lambda fig: None, {}, TypeError, "draw returned None"),
        (lab03.draw_savings, {"tenants": "ab", "max_loras": [8]}, TypeError,
         "tenants is 'ab'"),
        (lab03.draw_savings, {"tenants": [True], "max_loras": [8]}, TypeError,
         r"tenants holds \[True\]"),
        (lab03.draw_savings, {"tenants": ["1", 1], "max_loras": [8]},
         ValueError, "two that read the same"),
        (lab03.draw_savings, {"tenants": [" "], "max_loras": [8]},
         ValueError, "not empty"),
        (partial(lab03.draw_savings, 1), {"max_loras": [8]}, TypeError,
         "draw is functools.partial"),
        (lab03.draw_savings,
         {"tenants": [1], "max_loras": [8], "start": {"tenants": 2}},
         ValueError, "start has tenants = 2"),
        (lab03.draw_savings,
         {"tenants": [1], "max_loras": [8], "start": {"rank": 2}},
         ValueError, "start has rank = 2"),
    ],
)  # fmt: skip
def test_bad_axes_are_named(draw, options, error, named):
    with pytest.raises(error, match=named):
        sliders.explore(draw, **options)
