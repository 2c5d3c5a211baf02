"""The chapters without code: numbers with a source, nothing missing."""

import re
from pathlib import Path

import pytest

from spoken_numbers import blocks, claimed, linked_notebooks, notebook_numbers

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
# Their numbers are compared sentence by sentence in test_book.py.
OTHERWISE = {"index", "how-to-read"}
PAGES = [
    path for path in sorted(BOOK.glob("*.md")) if path.stem not in OTHERWISE
]
CITES = re.compile(r"\{cite(:\w)?\}|https://|\bdoi\b")


def unsupported(text, page):
    """Return (number, block) for each number that nothing backs up."""
    found = []
    for block in blocks(text):
        if CITES.search(block):
            continue
        known = set()
        for notebook in linked_notebooks(block, page):
            known |= notebook_numbers(notebook)
        found += [(n, block) for n in sorted(claimed(block) - known)]
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_number_is_printed_where_its_block_links_or_cited(path):
    assert unsupported(path.read_text("utf-8"), path) == []


def test_a_number_that_nobody_printed_is_found():
    """The rule itself: a changed digit is caught, and so is a lost link."""
    link = "[lab 03](../notebooks/lab-03-lora-economics.ipynb)"
    page = BOOK / "x.md"
    assert not unsupported(f"Slots take 9.81 GiB ({link}).", page)
    assert unsupported(f"Slots take 9.82 GiB ({link}).", page)
    assert unsupported("Slots take 9.81 GiB.", page)
    assert unsupported(f"- 9.81 GiB\n- {link}", page)
    assert unsupported(f"| a | 1,521 ms |\n| b | {link} |", page)
    assert not unsupported("Slots of rank 8, `max_loras=100`, 0.32.0.", page)
    assert not unsupported("They say 57.9 × {cite:p}`dlora`.", page)
