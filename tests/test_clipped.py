"""What is wider than a page: it wraps, or one sees that it scrolls."""

import io

import numpy as np
import pytest
from PIL import Image

from multilora.book.names import breakable
from multilora.book.outputs import wrapped
from multilora.book.tables import with_cards
from test_pages import each_page

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
def test_rows_of_the_operators_page_are_cards_on_a_phone(open_page):
    page = open_page("notebooks/operators", width=PHONE)
    cells = page.locator("table.cards").first.locator("tbody tr").first
    lefts = {cell.bounding_box()["x"] for cell in cells.locator("td").all()}
    assert len(lefts) == 1, "cells stand below one another"
    label = (
        cells.locator("td")
        .nth(1)
        .evaluate("cell => getComputedStyle(cell, '::before').content")
    )
    assert "likely cause" in label


def output(*lines):
    return (
        '<div class="output stream highlight-myst-ansi notranslate">'
        '<div class="highlight"><pre><span></span>'
        + "".join(f"{line}\n" for line in lines)
        + "</pre></div>\n</div>"
    )


@pytest.mark.parametrize(
    ("line", "hang"),
    [
        ("a log line", 4),
        ("    indented", 4),
        ("legal  | whereas", 9),
        ("cut in half      refuses    the header", 28),
        ("a &lt; b  c", 7),
        ('<span class="s">word</span>  last', 6),
        ("", 4),
    ],
)
def test_a_line_hangs_under_its_last_column(line, hang):
    span = f'<span class="printed" style="--hang: {hang}ch">'
    assert f"{span}{'<span></span>'}{line}\n</span>" in wrapped(output(line))


def test_a_cell_as_wide_as_its_column_hangs_as_its_neighbours():
    page = wrapped(output("legal  | whereas", "json   | a", "pirate | arr!"))
    assert page.count("--hang: 9ch") == 3
    page = wrapped(output("legal  | whereas", "pirate | arr!"))
    assert page.count("--hang: 9ch") == 1


def test_an_output_of_far_columns_is_marked():
    assert "columns" not in wrapped(output("name  text", "a b c"))
    assert "columns" in wrapped(output("name  text", "sixteen letters a  b"))


def test_only_outputs_are_wrapped():
    code = '<div class="highlight-python"><div class="highlight"><pre>a</pre>'
    assert wrapped(code) == code


def table(head, *rows):
    cells = "".join(f'<th class="head"><p>{name}</p></th>' for name in head)
    lines = "".join(
        f'<tr class="row-even">{"".join(f"<td><p>{c}</p></td>" for c in row)}'
        "</tr>"
        for row in rows
    )
    return (
        f'<table class="table"><thead><tr class="row-odd">{cells}</tr>'
        f"</thead><tbody>{lines}</tbody></table>"
    )


def test_a_long_row_becomes_a_card():
    cards = with_cards(table(["you", "see & do", "at"], ["a", "b", "c" * 80]))
    assert '<table role="table" class="table cards">' in cards
    assert '<tr role="row" class="row-even">' in cards
    for name in ("you", "see &amp; do", "at"):
        assert f'<td role="cell" data-label="{name}">' in cards


def test_short_rows_and_pairs_stay_a_table():
    for kept in (
        table(["a", "b", "c"], ["a", "b", "c" * 78]),
        table(["a", "b"], ["a", "b" * 200]),
    ):
        assert with_cards(kept) == kept


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("LRUCacheLoRAModelManager", "LRUCache|Lo|RAModel|Manager"),
        ("vllm:num_requests_waiting", "vllm:|num_|requests_|waiting"),
        ("https://a.org/long/paper", "https://|a.|org/|long/|paper"),
        ("AdapterSlotCache", "AdapterSlotCache"),
    ],
)
def test_a_long_name_may_break(name, broken):
    assert breakable(name) == broken.replace("|", "<wbr>")


def test_long_names_of_an_output_may_break_and_numbers_may_not():
    name = "a_name_of_17_long"
    assert breakable(name) == "a_<wbr>name_<wbr>of_<wbr>17_<wbr>long"
    page = wrapped(output(name, f"<b title='{name}'>3e-07</b>"))
    assert f"{breakable(name)}\n" in page
    assert f"title='{name}'>" in page
    assert '<span class="whole">3e-07</span>' in page
