"""Sliders of the built pages in Chromium: no kernel behind them.

Needs `make book`, playwright and a Chromium: make browser.
"""

import re

import pytest

from multilora.book.frames import name_of
from multilora.book.pages import built_folder
from multilora.explore.player import Player
from multilora.units import value_text
from page_figures import (
    FRONT,
    MAX_MOVE_BYTES,
    each_figure,
    figure_of,
    sentence_of,
    wait_for,
)
from repository import ROOT

pytestmark = pytest.mark.browser


def key_presses(length):
    """Keys that bring a slider to its first, its last, a middle stop."""
    middle = (length - 1) // 2
    return [
        (["Home"], 0),
        (["End"], length - 1),
        (["Home"] + ["ArrowRight"] * middle, middle),
    ]


@each_figure
def test_every_slider_shows_what_python_draws(open_page, path, explorer):
    """Each slider at both ends and in the middle, by keyboard."""
    page = open_page(path)
    figure = figure_of(page, explorer)
    player = Player(explorer.draw)
    sliders = figure.locator("input[type=range]")
    stops = dict(explorer.start)
    assert sliders.count() == len(explorer.axes)
    said = {sentence_of(figure)}
    for number, (axis, row) in enumerate(explorer.axes.items()):
        slider = sliders.nth(number)
        slider.focus()
        for keys, at in key_presses(len(row)):
            for key in keys:
                page.keyboard.press(key)
            stops[axis] = row[at]
            svg, sentence = player.frame(stops)
            file = wait_for(page, figure, sentence)
            assert file.read_text("utf-8") == svg
            assert len(svg.encode()) < MAX_MOVE_BYTES
            assert figure.locator("img").get_attribute("alt") == sentence
            text = value_text(axis, row[at])
            assert slider.get_attribute("aria-valuetext") == text
            assert figure.locator(".value").nth(number).inner_text() == text
            said.add(sentence)
    assert len(said) > len(explorer.axes)
    assert page.problems == []


@each_figure
def test_nothing_jumps_on_a_phone(open_page, path, explorer):
    """Moving each slider to its ends leaves what stands below in place."""
    page = open_page(path, "dark", width=390)
    figure = figure_of(page, explorer)
    boxes = [figure.bounding_box()["height"]]
    sliders = figure.locator("input[type=range]")
    for number in range(sliders.count()):
        assert sliders.nth(number).bounding_box()["height"] >= 24
        sliders.nth(number).focus()
        for key in ("Home", "End"):
            page.keyboard.press(key)
            page.wait_for_timeout(60)
            boxes.append(figure.bounding_box()["height"])
    assert max(boxes) - min(boxes) < 1
    scroll = page.evaluate("document.documentElement.scrollWidth")
    assert scroll <= 390


def test_a_slider_has_a_name_a_value_and_a_ring(open_page):
    page = open_page(FRONT)
    slider = page.get_by_role("slider", name="max_loras")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "32 slots"
    style = "element => getComputedStyle(element).outlineStyle"
    assert slider.evaluate(style) == "solid"
    live = page.locator("#explore-memory .said")
    assert live.get_attribute("aria-live") == "polite"


def test_a_picture_turns_light_in_the_dark(open_page):
    for path in (FRONT, "notebooks/lab-03-lora-economics"):
        page = open_page(path, "dark")
        picture = page.locator("#explore-memory img")
        style = picture.evaluate("image => getComputedStyle(image).filter")
        assert style.startswith("invert(1)")
        ground = "image => getComputedStyle(image).backgroundColor"
        assert picture.evaluate(ground) == "rgba(0, 0, 0, 0)"


def test_on_paper_the_ink_is_dark(open_page):
    for path in (FRONT, "notebooks/lab-03-lora-economics"):
        page = open_page(path, "dark")
        page.emulate_media(media="print")
        for picture in page.locator("figure.multilora img").all():
            style = picture.evaluate("image => getComputedStyle(image).filter")
            assert style == "none"


def test_every_picture_of_the_site_is_used():
    folder = built_folder(ROOT) / "_frames"
    if not folder.is_dir():
        pytest.skip("needs the built book: make browser")
    pages = "".join(
        page.read_text("utf-8") for page in built_folder(ROOT).rglob("*.html")
    )
    there = {file.name for file in folder.iterdir()}
    assert len(there) > 300
    assert there == set(re.findall(r"[0-9a-f]{12}\.svg", pages))
    for file in folder.iterdir():
        assert name_of(file.read_bytes()) == file.name
