"""The built pages, opened as files in headless Chromium, the network cut.

Needs `make book`, playwright and a Chromium: make browser.
"""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from built_pages import EXPLORED, PAGES, each_page
from repository import ROOT

FLAT = ".bd-article * { background-image: none !important; }"
MAX_PAGE_BYTES = 1_500_000

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_page
def test_a_page_stands_alone(open_page, path, scheme, width):
    """No error or warning, no other host, no sideways scroll, one search."""
    page = open_page(path, scheme, width)
    page.wait_for_timeout(200)
    assert page.problems == []
    scroll = page.evaluate("document.documentElement.scrollWidth")
    assert scroll <= width
    shown = page.evaluate("document.documentElement.dataset.theme")
    assert shown == scheme
    searches = page.locator("button.search-button-field:visible")
    assert searches.count() <= 1
    scripts = [url for url in page.asked if url.split("?")[0].endswith(".js")]
    assert len(scripts) == len(set(scripts)), "a script is loaded twice"


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1280), ("light", 390)])
@each_page
def test_nothing_serious_bars_a_reader(open_page, path, scheme, width):
    """axe-core finds nothing serious, the theme's own parts included."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe-playwright-python: make browser",
    ).Axe()
    page = open_page(path, scheme, width)
    # Of letters on a gradient axe-core says nothing; they are elsewhere too.
    page.add_style_tag(content=FLAT)
    page.wait_for_timeout(300)  # the theme fades its colours in
    found = axe.run(page).response
    assert len(found["passes"]) > 10, "axe did not look"
    serious = [
        (broken["id"], [node["html"][:200] for node in broken["nodes"]])
        for broken in found["violations"]
        if broken["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_before_a_slider_is_touched(open_page, path):
    page = open_page(path)
    page.wait_for_timeout(300)
    files = {
        unquote(urlparse(url).path)
        for url in page.asked
        if url.startswith("file:")
    }
    weight = sum(Path(file).stat().st_size for file in files)
    assert any(file.endswith(".css") for file in files)
    assert weight < MAX_PAGE_BYTES


@pytest.mark.parametrize("path", EXPLORED)
def test_pictures_and_sentences_stand_without_javascript(open_page, path):
    page = open_page(path, java_script_enabled=False)
    figures = page.locator("figure.multilora")
    source = (ROOT / f"{path}.ipynb").read_text("utf-8")
    assert figures.count() >= source.count("data-explore=") >= 1
    for index in range(figures.count()):
        picture = figures.nth(index).locator("img")
        assert picture.evaluate("image => image.naturalWidth") > 400
        sentence = figures.nth(index).locator("figcaption").inner_text()
        assert picture.bounding_box()["height"] > 100
        assert sentence.startswith(picture.get_attribute("alt")[:20])
    assert page.locator("input[type=range]:visible").count() == 0


def test_every_lab_has_explorers():
    every = [page for page in PAGES if page.startswith("notebooks/lab-")]
    assert len(every) == 4 and set(every) < set(EXPLORED)
    assert "notebooks/the-cascade" in EXPLORED


def test_formulas_are_mathml_and_drawn(open_page):
    page = open_page("notebooks/lab-01-batched-lora-matmul")
    formula = page.locator("math[display=block]").first
    assert formula.bounding_box()["height"] > 20
    assert page.locator("text=\\top").count() == 0


def test_the_cheat_sheet_prints_on_one_page(open_page):
    """One sheet of A4, with all of its parts, in letters one can read."""
    pytest.importorskip("pypdfium2", reason="needs pypdfium2: make browser")
    from pictures import SHEET, printed

    sheets = printed(open_page("book/cheat-sheet"), SHEET)
    assert len(sheets) == 1
    width, height = sheets[0].get_size()
    assert (round(width), round(height)) == (596, 843)
    text = sheets[0].get_textpage().get_text_range()
    for part in ("Formulas", "Five invariants", "58.3 (policies § 2)"):
        assert part in text
    assert "Search" not in text


def test_the_search_finds_from_a_file(open_page):
    page = open_page("search", fragment="?q=starvation")
    page.wait_for_selector("#search-results li a")
    page.wait_for_timeout(300)
    found = page.locator("#search-results").inner_text()
    assert "slot cache" in found
    assert page.problems == []
