"""Printed lines, tables and long names, made ready for a narrow page."""

import pytest

from multilora.book.names import breakable
from multilora.book.outputs import wrapped
from multilora.book.tables import with_cards


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
