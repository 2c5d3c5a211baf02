"""The operator's table on a page holds what its data says, and its links."""

import re

import pytest

from multilora.figures.symptoms import symptom_table
from multilora.watch.symptoms import KINDS, symptom, symptoms

LAB = "lab-04-adapter-slot-cache"


def test_the_kinds_together_are_the_whole_table_in_its_order():
    kinds = [repr(symptom_table(kind)) for kind in KINDS]
    assert "\n".join(kinds) == repr(symptom_table())
    lines = repr(symptom_table()).splitlines()
    assert len(lines) == len(symptoms())
    for line, row in zip(lines, symptoms(), strict=True):
        for words in (row.symptom, row.cause, row.look_at):
            assert words in line
        assert (row.short if row.kind == "slow" else row.change_first) in line
        assert all(link.to in line for link in row.sources)


def test_rows_picked_by_key_keep_that_order_and_are_told_at_length():
    keys = ["kv", "deferral", "tier"]
    lines = repr(symptom_table(keys=keys)).splitlines()
    for line, key in zip(lines, keys, strict=True):
        row = symptom(key)
        assert line.startswith(row.symptom) and row.change_first in line
    assert repr(symptom_table("down", keys)) == lines[2]


@pytest.mark.parametrize("page", ["operators", LAB])
def test_links_lead_to_notebooks_or_on_the_same_page(page):
    text = symptom_table(keys=["kv", "gap"], page=page)._repr_markdown_()
    links = re.findall(r"\]\(([^)]*)\)", text)
    shown = [link.to for key in ("kv", "gap") for link in symptom(key).shown]
    assert links == [
        f"#{to.split('#')[1]}"
        if to.startswith(f"{page}#")
        else to.replace("#", ".ipynb#")
        for to in shown
    ]


def test_a_wrong_kind_key_or_page_is_said():
    with pytest.raises(ValueError, match="key is 'x', allowed: 'deferral'"):
        symptom_table(keys=["x"])
    with pytest.raises(ValueError, match="kind is 'x', allowed: 'slow'"):
        symptom_table("x")
    with pytest.raises(ValueError, match="page is 'x', allowed: 'operators'"):
        symptom_table(page="x")
