"""What is wider than a page: it wraps, or one sees that it scrolls."""

import io

import numpy as np
import pytest
from PIL import Image

from built_pages import each_page

LAB = "notebooks/lab-02-serve-many-loras"
PHONE, DESK = 390, 1280
DIFFERENT = 30  # of 255: a shadow, not a rounded colour

# Each box on show that hides a part of what is in it.
CLIPPED = """() => {
  const boxes = [...document.querySelectorAll("body *")];
  window.clipped = boxes.filter(box =>
    box.clientWidth > 1 && box.checkVisibility({visibilityProperty: true})
    && box.scrollWidth > box.clientWidth + 1
    && getComputedStyle(box).overflowX !== "visible");
  return clipped.map(box => {
    const style = getComputedStyle(box);
    const bar = getComputedStyle(box, "::-webkit-scrollbar");
    return {
      tag: box.tagName.toLowerCase(),
      where: box.closest("div[class*=highlight-]")?.className,
      text: box.innerText.trim().split("\\n")[0].slice(0, 60),
      hidden: box.scrollWidth - box.clientWidth,
      scrolls: style.overflowX === "auto" && box.tabIndex === 0,
      barHeight: bar.height,
      moves: style.backgroundAttachment,
    };
  });
}"""
OPEN_FOLDS = """async () => {
  document.querySelectorAll(".bd-article details").forEach(
    fold => { fold.open = true; });
  await new Promise(done => setTimeout(done, 50));
}"""


def clipped(page):
    page.evaluate(OPEN_FOLDS)
    return page.evaluate(CLIPPED)


def shadows(page, number):
    """True or False for each side of a clipped box: is a shadow seen?

    The middle colour of a box's column is its ground, not its letters.
    """
    box = page.evaluate_handle("number => clipped[number]", number)
    picture = Image.open(io.BytesIO(box.as_element().screenshot()))
    ground = np.median(np.asarray(picture.convert("L")), axis=0)
    middle = ground[len(ground) // 2]
    return tuple(
        bool(abs(ground[side] - middle) > DIFFERENT) for side in (6, -3)
    )


@pytest.mark.browser
@each_page
def test_nothing_is_clipped_unseen(open_page, path):
    """On a desk nothing is clipped. On a phone code and printed columns are.

    There a key scrolls them, and a bar and shadows that move say that they
    scroll. The first of each kind is looked at.
    """
    page = open_page(path, width=DESK)
    assert clipped(page) == []
    page.set_viewport_size({"width": PHONE, "height": 800})
    found = clipped(page)
    assert {box["tag"] for box in found} <= {"pre"}
    assert [box for box in found if not is_shown(box)] == []
    kinds = [box["where"] for box in found]
    for number in map(kinds.index, dict.fromkeys(kinds)):
        assert shadows(page, number) == (False, True), found[number]


def is_shown(box):
    moves = "local, local, scroll, scroll, scroll"
    return (box["scrolls"], box["barHeight"], box["moves"]) == (
        True, "8px", moves,
    )  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("script", [True, False])
def test_a_shadow_is_where_more_is_hidden(open_page, scheme, script):
    """Without JavaScript the theme stays light, and the shadows stay."""
    page = open_page(LAB, scheme, PHONE, java_script_enabled=script)
    page.wait_for_timeout(300)  # the theme fades its colours in
    assert page.evaluate(CLIPPED)
    seen = []
    for share in (0, 0.5, 1):
        page.evaluate(
            "share => { clipped[0].scrollLeft = share *"
            " (clipped[0].scrollWidth - clipped[0].clientWidth); }",
            share,
        )
        seen.append(shadows(page, 0))
    assert seen == [(False, True), (True, True), (True, False)]


@pytest.mark.browser
@pytest.mark.parametrize(
    "markup",
    [
        "<div class='highlight'><pre>{}</pre></div>",
        "<div class='formula'>{}</div>",
        "<table class='table'><tr><td>{}</td></tr></table>",
        "<table class='table'><tr hidden></tr><tr><td>{}</td></tr></table>",
    ],
)
def test_what_is_wide_is_found_and_seen(open_page, markup):
    """So a page that holds such a box fails the tests above."""
    page = open_page("book/glossary", width=DESK)
    page.evaluate(
        "markup => document.querySelector('.bd-article')"
        ".insertAdjacentHTML('afterbegin', markup)",
        markup.format("<div style='width: 3000px'>wide</div>"),
    )
    (box,) = clipped(page)
    assert box["hidden"] > 1000
    assert shadows(page, 0) == (False, True)
    page.add_style_tag(
        content=".bd-article * { background: white !important; }"
    )
    (box,) = clipped(page)
    assert not is_shown(box)
    assert shadows(page, 0) == (False, False)


@pytest.mark.browser
def test_printed_columns_are_not_squeezed_beside_two_bars(open_page):
    """Where both side bars leave less than 84 letters, a table scrolls."""
    page = open_page("notebooks/fleet", width=1200)
    rows = page.locator(".columns .printed", has_text="more ongoing")
    heights = rows.evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert len(heights) == 2 and max(heights) < 30
    (box,) = (box for box in clipped(page) if box["text"].startswith("ray 2"))
    assert is_shown(box)


@pytest.mark.browser
def test_rows_of_the_operators_page_are_cards_on_a_phone(open_page):
    page = open_page("notebooks/operators", width=PHONE)
    drawn = page.locator("table.cards", has_text="rare tenants late")
    cells = drawn.first.locator("tbody tr").first
    lefts = {cell.bounding_box()["x"] for cell in cells.locator("td").all()}
    assert len(lefts) == 1, "cells stand below one another"
    label = (
        cells.locator("td")
        .nth(1)
        .evaluate("cell => getComputedStyle(cell, '::before').content")
    )
    assert "likely cause" in label
