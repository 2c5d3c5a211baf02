"""Tables that are drawn from data keep all of it, and their links."""

import pytest

from multilora.figures.symptoms import symptom_table
from multilora.figures.tables import LinkedTable
from multilora.figures.wrong_answers import wrong_answer_table
from multilora.models.wrong_answers import wrong_answers
from multilora.watch.symptoms import KINDS, symptoms


def test_each_symptom_is_a_row_with_its_links():
    for kind in KINDS:
        rows = [row for row in symptoms() if row.kind == kind]
        lines = symptom_table(kind)._repr_markdown_().splitlines()[2:]
        assert len(lines) == len(rows)
        for row, line in zip(rows, lines, strict=True):
            assert row.symptom in line and row.look_at in line
            for link in row.shown:
                page, anchor = link.to.split("#")
                is_here = page == "operators"
                assert (
                    f"({'' if is_here else page + '.ipynb'}#{anchor})" in line
                )
            assert all(f"]({link.to})" in line for link in row.sources)
    with pytest.raises(ValueError, match="kind is 'x', allowed: 'slow'"):
        symptom_table("x")


def test_each_wrong_answer_has_its_releases_sources_and_check():
    lines = wrong_answer_table()._repr_markdown_().splitlines()[2:]
    for row, line in zip(wrong_answers(), lines, strict=True):
        assert row.what in line and row.do in line and row.canary in line
        assert all(f"]({url})" in line for url in row.sources)
        for release in (*row.known, row.fixed_from):
            assert release is None or release in line


def test_a_bar_in_a_cell_ends_no_cell():
    table = LinkedTable(("a", "b"), [("x | y", "z")])
    assert (
        table._repr_markdown_() == "| a | b |\n| --- | --- |\n| x \\| y | z |"
    )
    assert table._repr_html_() is None
    assert repr(table) == "x | y | z"
