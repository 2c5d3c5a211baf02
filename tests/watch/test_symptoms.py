"""The operator's table is whole, and leads to places that are there."""

import json
import re

import pytest

from multilora.evidence.dials import CASES
from multilora.watch.symptoms import KINDS, plain, symptom, symptoms
from repository import ROOT


def anchors(page):
    """Return the anchors of a notebook's headings, as Sphinx makes them."""
    book = json.loads((ROOT / f"notebooks/{page}.ipynb").read_text("utf-8"))
    text = "\n".join(
        "".join(cell["source"])
        for cell in book["cells"]
        if cell["cell_type"] == "markdown"
    )
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {
        re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
        for head in heads
    }


def test_keys_are_unique_and_kinds_known():
    rows = symptoms()
    assert len({row.key for row in rows}) == len(rows) > 20
    assert [row.kind for row in rows] == sorted(
        (row.kind for row in rows), key=KINDS.index
    )


def test_each_row_says_what_to_change_and_where_it_is_shown():
    for row in symptoms():
        assert row.symptom and row.cause and row.look_at
        assert row.change_first and row.short and row.shown
        assert set(row.cases) <= set(CASES)
        named = re.findall(r"`(vllm:\w+)`", row.look_at)
        assert list(row.metrics) == named


@pytest.mark.parametrize("row", symptoms(), ids=lambda row: row.key)
def test_each_link_leads_to_a_heading(row):
    for link in row.shown:
        page, anchor = link.to.split("#")
        assert anchor in anchors(page)
    assert all(link.to.startswith("https://") for link in row.sources)


def test_a_row_is_found_by_its_key_and_printed_plain():
    row = symptom("gone")
    assert plain(row.change_first).startswith("restore the folder, then ")
    with pytest.raises(ValueError, match="key is 'x', allowed: 'deferral'"):
        symptom("x")
